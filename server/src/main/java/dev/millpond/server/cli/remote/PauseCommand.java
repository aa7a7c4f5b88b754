package dev.millpond.server.cli.remote;

import dev.millpond.server.cli.ExitCode;
import dev.millpond.server.client.Call;
import dev.millpond.server.http.json.Json;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code millpond queues|kinds|tags pause}. */
@Command(
    name = "pause",
    description = {
      "Starts none of its jobs any more, in the whole fleet within a second.",
      "What runs goes on; what has not started waits, and loses no attempt."
    },
    sortOptions = false)
final class PauseCommand extends RemoteCommand {
  private final String noun;

  @Parameters(paramLabel = "NAME", description = "What is to be paused.")
  private String name = "";

  @Option(
      names = "--reason",
      paramLabel = "TEXT",
      description = "Why, for those who come by: up to 500 characters.")
  private @Nullable String reason;

  @Option(
      names = "--by",
      paramLabel = "NAME",
      description = "Who, up to 100 characters; by default the name of the user of this command.")
  private String by = System.getProperty("user.name", "");

  /**
   * @param noun of the path, as in {@code queues}
   */
  PauseCommand(String noun) {
    this.noun = noun;
  }

  @Override
  int run(Session session) throws InterruptedException {
    byte[] body =
        Json.write(out -> {
          out.writeStartObject();
          if (reason != null) {
            out.writeStringProperty("reason", reason);
          }
          if (!by.isBlank()) {
            out.writeStringProperty("by", by);
          }
          out.writeEndObject();
        });
    String path = "/v1/" + noun + "/" + Call.part(name) + "/pause";
    ListPausesCommand.show(
        session, session.call(Call.post(path, new String(body, StandardCharsets.UTF_8))));
    return ExitCode.OK;
  }
}
