package dev.millpond.server.cli.remote;

import dev.millpond.server.cli.ExitCode;
import dev.millpond.server.client.Call;
import dev.millpond.server.http.json.Json;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code millpond queues set}. */
@Command(
    name = "set",
    description = "Changes the settings of a queue, in the whole fleet within a second.",
    sortOptions = false)
final class SetQueueCommand extends RemoteCommand {
  @Parameters(paramLabel = "QUEUE", description = "The queue's name.")
  private String name = "";

  @Option(
      names = "--weight",
      paramLabel = "N",
      converter = Converters.NumberOrDefault.class,
      description = "Its weight against other queues, 1 to 10000, or default, which is 100.")
  private @Nullable String weight;

  @Option(
      names = "--aging",
      paramLabel = "DURATION",
      converter = Converters.SpanOrDefault.class,
      description =
          "How long its jobs may wait before they go ahead of the weights of its classes, 1s to"
              + " 1d, or default for no bound.")
  private @Nullable String aging;

  @Override
  void check() {
    if (weight == null && aging == null) {
      throw usage("Nothing to set: give --weight or --aging");
    }
  }

  @Override
  int run(Session session) throws InterruptedException {
    byte[] body =
        Json.write(out -> {
          out.writeStartObject();
          Json.raw(out, "weight", weight);
          Json.raw(out, "aging", aging);
          out.writeEndObject();
        });
    Call call =
        Call.patch("/v1/queues/" + Call.part(name), new String(body, StandardCharsets.UTF_8));
    GetQueueCommand.show(session, session.call(call).json());
    return ExitCode.OK;
  }
}
