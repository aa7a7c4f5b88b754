package dev.millpond.server.cli.remote;

import dev.millpond.server.client.Call;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which jobs a list shows. All filters together; none shows all jobs. */
final class JobFilter {
  @Option(names = "--queue", paramLabel = "QUEUE", description = "Jobs of this queue.")
  private @Nullable String queue;

  @Option(names = "--kind", paramLabel = "KIND", description = "Jobs of this kind.")
  private @Nullable String kind;

  @Option(
      names = "--state",
      paramLabel = "STATE",
      description =
          "Jobs in this state: scheduled, runnable, running, waiting, succeeded, dead, cancelled.")
  private @Nullable String state;

  @Option(names = "--tag", paramLabel = "TAG", description = "Jobs with this tag.")
  private @Nullable String tag;

  @Option(
      names = "--since",
      paramLabel = "TIME",
      converter = Converters.PastTime.class,
      description = "Submitted at or after: an instant, or how long ago such as 2h.")
  private @Nullable Instant since;

  @Option(
      names = "--until",
      paramLabel = "TIME",
      converter = Converters.PastTime.class,
      description = "Submitted before: an instant, or how long ago.")
  private @Nullable Instant until;

  @Option(names = "--error", paramLabel = "TEXT", description = "Jobs whose error has this text.")
  private @Nullable String error;

  @Option(
      names = "--payload",
      paramLabel = "PATH",
      description = "Jobs whose payload matches this PostgreSQL JSON path.")
  private @Nullable String payload;

  boolean given() {
    return !query().toString().isEmpty();
  }

  Call.Query query() {
    return new Call.Query()
        .with("queue", queue)
        .with("kind", kind)
        .with("state", state)
        .with("tag", tag)
        .with("since", since)
        .with("until", until)
        .with("error", error)
        .with("payload", payload);
  }
}
