package dev.millpond.server.cli.remote;

import dev.millpond.server.cli.ExitCode;
import dev.millpond.server.client.Call;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
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

  @Mixin private RemarkOptions remark = new RemarkOptions();

  /**
   * @param noun of the path, as in {@code queues}
   */
  PauseCommand(String noun) {
    this.noun = noun;
  }

  @Override
  int run(Session session) throws InterruptedException {
    String path = "/v1/" + noun + "/" + Call.part(name) + "/pause";
    ListPausesCommand.show(session, session.call(Call.post(path, remark.json())));
    return ExitCode.OK;
  }
}
