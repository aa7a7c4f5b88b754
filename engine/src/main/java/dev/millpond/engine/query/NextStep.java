package dev.millpond.engine.query;

import dev.millpond.api.JobOptions.Expiry;
import dev.millpond.api.JobView;
import dev.millpond.api.JobView.Holder;
import dev.millpond.api.JobView.Worker;
import org.jspecify.annotations.Nullable;

/** Says in one sentence what happens next to a job. Pure. */
public final class NextStep {
  private NextStep() {}

  /**
   * The sentence.
   *
   * @param job as far as read
   * @param holder what holds it
   * @param cancelRequested whether its worker has been told to stop it
   */
  public static String of(JobView job, Holder holder, boolean cancelRequested) {
    return switch (job.state()) {
      case SUCCEEDED, CANCELLED -> "Nothing: it has ended.";
      case DEAD -> "Nothing, until somebody redrives it.";
      case WAITING -> "It waits: " + job.waitReason() + expiry(job) + ".";
      case SCHEDULED -> scheduled(job) + expiry(job) + ".";
      case RUNNABLE -> runnable(job, holder) + expiry(job) + ".";
      case RUNNING -> running(holder, cancelRequested) + ".";
    };
  }

  private static String scheduled(JobView job) {
    String what = "retry".equals(job.waitReason()) ? "Attempt " + job.attempt() : "It";
    return what + " may start at " + job.timing().runAt();
  }

  private static String runnable(JobView job, Holder holder) {
    String kind = job.request().kind();
    if (holder.dispatchId() == null) {
      return "Its batch is on its way to a worker that runs " + kind;
    }
    if (holder.worker() != null) {
      return name(holder.worker())
          + " has claimed its batch at "
          + holder.claimedAt()
          + " and starts it, or has just done so";
    }
    if (holder.sentAt() != null) {
      return "Its batch is on a stream since "
          + holder.sentAt()
          + "; the next worker that runs "
          + kind
          + " and has room takes it, or has just done so";
    }
    return "Its batch waits in PostgreSQL for a worker that runs "
        + kind
        + " and has room, or for room on its stream";
  }

  private static String running(Holder holder, boolean cancelRequested) {
    Worker worker = holder.worker();
    String name = worker == null ? "Its worker" : name(worker);
    return cancelRequested
        ? name + " has been told to stop it; then it is cancelled"
        : name
            + " runs it and ends it by "
            + holder.deadline()
            + " at the latest; if the worker is lost, another one gets it";
  }

  private static String name(Worker worker) {
    return worker.host() == null
        ? "Worker " + worker.id()
        : "Worker " + worker.host() + " (process " + worker.pid() + ")";
  }

  private static String expiry(JobView job) {
    @Nullable Expiry expiry = job.request().options().expiry();
    return expiry instanceof Expiry.At at
        ? "; if it has not started by " + at.expiresAt() + ", it is cancelled"
        : "";
  }
}
