package dev.millpond.server.cli.remote;

import dev.millpond.server.client.Call;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code millpond workers drain}. */
@Command(
    name = "drain",
    description = {
      "Has workers take nothing more: what they have not started goes to others, the rest runs on.",
      "They stay so until they are told to resume, or their processes end."
    },
    sortOptions = false)
final class DrainWorkerCommand extends RemoteCommand {
  @Parameters(
      paramLabel = "ID",
      arity = "1..*",
      converter = Converters.Id.class,
      description = "Ids of workers.")
  private List<String> ids = List.of();

  @Mixin private RemarkOptions remark = new RemarkOptions();

  @Override
  int run(Session session) throws InterruptedException {
    return Each.call(
        session,
        ids,
        id -> Call.post(path(id), remark.json()),
        done ->
            "Worker " + Field.text(done.json(), "id") + " drains; workers list shows when it has");
  }

  static String path(String id) {
    return "/v1/workers/" + Call.part(id) + "/drain";
  }
}
