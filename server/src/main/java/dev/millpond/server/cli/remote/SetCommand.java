package dev.millpond.server.cli.remote;

import dev.millpond.server.client.Call;
import dev.millpond.server.client.Reply;
import dev.millpond.server.http.json.Json;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code millpond jobs set}. */
@Command(
    name = "set",
    description = "Changes the priority class or the time of jobs that have not started.",
    sortOptions = false)
final class SetCommand extends RemoteCommand {
  @Parameters(
      paramLabel = "ID",
      arity = "1..*",
      converter = Converters.Id.class,
      description = "Ids of jobs.")
  private List<String> ids = List.of();

  @Option(names = "--class", paramLabel = "CLASS", description = "The new priority class.")
  private @Nullable String priorityClass;

  @Option(
      names = "--run-at",
      paramLabel = "INSTANT",
      converter = Converters.Time.class,
      description = "Runs then, such as 2027-01-31T08:30:00Z.")
  private @Nullable Instant runAt;

  @Option(
      names = "--delay",
      paramLabel = "DURATION",
      converter = Converters.ApiSpan.class,
      description = "Runs after this time, such as 5m.")
  private @Nullable String delay;

  @Override
  void check() {
    if (priorityClass == null && runAt == null && delay == null) {
      throw usage("Nothing to set: give --class, --run-at or --delay");
    }
    if (runAt != null && delay != null) {
      throw usage("--run-at and --delay cannot be given together");
    }
  }

  @Override
  int run(Session session) throws InterruptedException {
    byte[] body =
        Json.write(out -> {
          out.writeStartObject();
          Json.optional(out, "priorityClass", priorityClass);
          Json.optional(out, "runAt", runAt);
          Json.optional(out, "delay", delay);
          out.writeEndObject();
        });
    String json = new String(body, StandardCharsets.UTF_8);
    return Each.call(
        session, ids, id -> Call.patch(GetJobCommand.path(id), json), SetCommand::text);
  }

  private static String text(Reply.Done done) {
    String due = Field.age(done.json(), "runAt", done.now());
    return "Job "
        + Field.text(done.json(), "id")
        + " is changed: class "
        + Field.text(done.json(), "priorityClass")
        + (due.startsWith("in ") ? ", due " + due : "");
  }
}
