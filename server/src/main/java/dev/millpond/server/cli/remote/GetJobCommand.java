package dev.millpond.server.cli.remote;

import dev.millpond.server.client.Call;
import dev.millpond.server.client.Reply;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code millpond jobs get}. */
@Command(name = "get", description = "Shows one job with its attempts.", sortOptions = false)
final class GetJobCommand extends RemoteCommand {
  @Parameters(paramLabel = "ID", converter = Converters.Id.class, description = "The job's id.")
  private String id = "";

  @Option(names = "--stack", description = "Shows the stack trace of the latest error.")
  private boolean stack;

  @Override
  int run(Session session) throws InterruptedException {
    Reply.Done job = session.call(Call.get(path(id)));
    if (session.json()) {
      session.document(job.body());
    } else {
      JobText.print(session, job.json(), job.now(), stack);
    }
    return 0;
  }

  static String path(String id) {
    return "/v1/jobs/" + Call.part(id);
  }
}
