package dev.millpond.server.cli.remote;

import dev.millpond.server.client.Call;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which dead letters. All filters together; none means all of them. */
final class DeadLetterFilter {
  @Option(names = "--queue", paramLabel = "QUEUE", description = "Jobs of this queue.")
  private @Nullable String queue;

  @Option(names = "--kind", paramLabel = "KIND", description = "Jobs of this kind.")
  private @Nullable String kind;

  @Option(names = "--tag", paramLabel = "TAG", description = "Jobs with this tag.")
  private @Nullable String tag;

  @Option(
      names = "--since",
      paramLabel = "TIME",
      converter = Converters.PastTime.class,
      description = "Died at or after: an instant, or how long ago such as 2h.")
  private @Nullable Instant since;

  @Option(
      names = "--until",
      paramLabel = "TIME",
      converter = Converters.PastTime.class,
      description = "Died before: an instant, or how long ago.")
  private @Nullable Instant until;

  @Option(names = "--error", paramLabel = "TEXT", description = "Jobs whose error has this text.")
  private @Nullable String error;

  boolean given() {
    return !query().toString().isEmpty();
  }

  Call.Query query() {
    return new Call.Query()
        .with("queue", queue)
        .with("kind", kind)
        .with("tag", tag)
        .with("since", since)
        .with("until", until)
        .with("error", error);
  }
}
