package dev.millpond.bench.peer.jobrunr;

import dev.millpond.bench.peer.PeerJob;
import org.jobrunr.jobs.lambdas.JobRequest;

/** The payload as JobRunr wants it. */
record NoopRequest(long at, int number, String text) implements JobRequest {
  static NoopRequest of(PeerJob job) {
    return new NoopRequest(job.at(), job.number(), job.text());
  }

  PeerJob job() {
    return new PeerJob(at, number, text);
  }

  @Override
  public Class<NoopHandler> getJobRequestHandler() {
    return NoopHandler.class;
  }
}
