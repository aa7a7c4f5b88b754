package dev.millpond.server.cli.remote;

import dev.millpond.server.cli.ExitCode;
import dev.millpond.server.client.Call;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code millpond queues|kinds|tags resume}. */
@Command(
    name = "resume",
    description = "Starts its jobs again, in the whole fleet within a second.",
    sortOptions = false)
final class ResumeCommand extends RemoteCommand {
  private final String noun;

  @Parameters(paramLabel = "NAME", description = "What is to be resumed.")
  private String name = "";

  /**
   * @param noun of the path, as in {@code queues}
   */
  ResumeCommand(String noun) {
    this.noun = noun;
  }

  @Override
  int run(Session session) throws InterruptedException {
    String path = "/v1/" + noun + "/" + Call.part(name) + "/resume";
    ListPausesCommand.show(session, session.call(Call.post(path)));
    return ExitCode.OK;
  }
}
