package dev.millpond.server.cli.remote;

import dev.millpond.server.cli.ExitCode;
import dev.millpond.server.client.Call;
import dev.millpond.server.client.Reply;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code millpond dead-letters show}. */
@Command(
    name = "show",
    description = "Shows a dead job with every attempt's error and the latest stack trace.",
    sortOptions = false)
final class ShowDeadLetterCommand extends RemoteCommand {
  @Parameters(paramLabel = "ID", converter = Converters.Id.class, description = "The job's id.")
  private String id = "";

  @Override
  int run(Session session) throws InterruptedException {
    Reply.Done job = session.call(Call.get(GetJobCommand.path(id)));
    if (!dead(session, job)) {
      return ExitCode.REFUSED;
    }
    if (session.json()) {
      session.document(job.body());
    } else {
      JobText.print(session, job.json(), job.now(), true);
    }
    return ExitCode.OK;
  }

  /** Whether a job is a dead letter; says so if not. */
  static boolean dead(Session session, Reply.Done job) {
    String state = Field.text(job.json(), "state");
    if (state.equals("dead")) {
      return true;
    }
    session.note(
        "Wrong state: Job "
            + Field.text(job.json(), "id")
            + " is "
            + state
            + "; only a dead job is a dead letter");
    return false;
  }
}
