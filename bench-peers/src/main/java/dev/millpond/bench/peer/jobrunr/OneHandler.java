package dev.millpond.bench.peer.jobrunr;

import org.jobrunr.server.JobActivator;

/** Gives JobRunr the one handler there is, as a container of beans would. */
record OneHandler(NoopHandler handler) implements JobActivator {
  @Override
  public <T> T activateJob(Class<T> type) {
    return type.cast(handler);
  }
}
