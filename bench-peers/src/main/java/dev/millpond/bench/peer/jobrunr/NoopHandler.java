package dev.millpond.bench.peer.jobrunr;

import dev.millpond.bench.peer.PeerTally;
import org.jobrunr.jobs.lambdas.JobRequestHandler;

/** Does nothing but tell that the job ran. */
public final class NoopHandler implements JobRequestHandler<NoopRequest> {
  private final PeerTally tally;

  NoopHandler(PeerTally tally) {
    this.tally = tally;
  }

  @Override
  public void run(NoopRequest request) {
    tally.ran(request.job());
  }
}
