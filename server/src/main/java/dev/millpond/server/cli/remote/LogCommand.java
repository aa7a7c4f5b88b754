package dev.millpond.server.cli.remote;

import java.time.Instant;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code millpond jobs log}. */
@Command(
    name = "log",
    description = "Shows the log lines that a job's attempts have written.",
    sortOptions = false)
final class LogCommand extends RemoteCommand {
  @Parameters(paramLabel = "ID", converter = Converters.Id.class, description = "The job's id.")
  private String id = "";

  @Override
  int run(Session session) throws InterruptedException {
    new JobLog(id, Instant::toString).printNew(session, new Follow(null));
    return 0;
  }
}
