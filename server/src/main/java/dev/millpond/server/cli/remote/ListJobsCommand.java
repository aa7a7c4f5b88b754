package dev.millpond.server.cli.remote;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code millpond jobs list}. */
@Command(name = "list", description = "Lists jobs, the newest first.", sortOptions = false)
final class ListJobsCommand extends RemoteCommand {
  @Mixin private JobFilter filter = new JobFilter();
  @Mixin private Listing listing = new Listing();

  @Override
  void check() {
    listing.check();
  }

  @Override
  int run(Session session) throws InterruptedException {
    listing.print(
        session, "/v1/jobs", filter::query, (jobs, now) -> session.table(JobText.table(jobs, now)));
    return 0;
  }
}
