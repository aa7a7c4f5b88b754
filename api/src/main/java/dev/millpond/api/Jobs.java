package dev.millpond.api;

import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/**
 * The door for producers: submits jobs and looks at them. Thread-safe.
 *
 * <p>An {@link SubmitResult.Accepted} job is committed in PostgreSQL; it survives any crash of this
 * process, of workers and of Redis. A call that throws {@link UnavailableException} is in doubt
 * only when the exception says so: give the job an idempotency key and submit it again.
 */
public interface Jobs {

  /**
   * Submits one job and waits for its commit; while its queue is full, for up to five seconds for
   * room in it, and is then {@link SubmitResult.Refused}.
   *
   * @throws InvalidJobException when a field is out of its range; nothing was written
   * @throws UnavailableException when PostgreSQL cannot be reached in time
   */
  SubmitResult submit(JobRequest request);

  /**
   * Submits up to {@link Limits#BATCH_JOBS} jobs in one transaction: all are accepted or none.
   * Where one of their queues is full it waits as for one job; then all are refused.
   *
   * @return one result for each request, in the order of the requests
   * @throws InvalidJobException when a field of a request is out of its range; names its index
   * @throws UnavailableException when PostgreSQL cannot be reached in time
   */
  List<SubmitResult> submit(List<JobRequest> requests);

  /**
   * Like {@link #submit(List)}, once for a key of the whole request: the same jobs again under the
   * same key are {@link SubmitResult.Existing}, with the same ids in the same order. Jobs may carry
   * idempotency keys of their own besides, other ones.
   *
   * @param requestKey 1 to {@link Limits#IDEMPOTENCY_KEY_CHARS} printable ASCII characters
   * @throws IdempotencyConflictException when the key belongs to another request; nothing was
   *     written
   */
  List<SubmitResult> submit(List<JobRequest> requests, String requestKey);

  /** Like {@link #submit(JobRequest)}, with another time to wait for room. */
  SubmitResult submit(JobRequest request, SubmitOptions options);

  /** Like {@link #submit(List)}, with another time to wait for room, or a key of the request. */
  List<SubmitResult> submit(List<JobRequest> requests, SubmitOptions options);

  /** Like {@link #submit(List, SubmitOptions)}, without blocking. */
  CompletableFuture<List<SubmitResult>> submitAsync(
      List<JobRequest> requests, SubmitOptions options);

  /** Like {@link #submit(JobRequest)}, without blocking; the future completes after the commit. */
  CompletableFuture<SubmitResult> submitAsync(JobRequest request);

  /** Like {@link #submit(List)}, without blocking; the future completes after the commit. */
  CompletableFuture<List<SubmitResult>> submitAsync(List<JobRequest> requests);

  /**
   * Submits one job and gives its id.
   *
   * @throws RefusedException when the queue takes no more work
   */
  default UUID submitOrThrow(JobRequest request) {
    return switch (submit(request)) {
      case SubmitResult.Accepted accepted -> accepted.id();
      case SubmitResult.Existing existing -> existing.id();
      case SubmitResult.Refused refused -> throw new RefusedException(refused);
    };
  }

  /** Reads one job with its attempts; empty when there is no such job (any more). */
  Optional<JobView> find(UUID id);

  /**
   * Cancels a job. A waiting job ends at once; a running one is told and ends as {@code cancelled}
   * when its handler has stopped.
   */
  CancelResult cancel(UUID id);

  /**
   * Lets a scheduled job run now, one that waits for its next attempt included. {@link
   * SteerResult.Done} also for a job that may run already.
   */
  SteerResult runNow(UUID id);

  /**
   * Changes when a job runs: one that is scheduled, or runnable while no worker has taken it.
   *
   * @throws InvalidJobException when the start is out of its range, or not before the job's expiry
   */
  SteerResult reschedule(UUID id, JobRequest.Start start);

  /**
   * Changes the priority class of a job that is scheduled, or runnable while no worker has taken
   * it. In its new class a runnable job keeps its place by age.
   *
   * @throws InvalidJobException when there is no such class
   */
  SteerResult changeClass(UUID id, String priorityClass);

  /** Gives a dead job a new life: attempt 1, same id; its earlier attempts stay readable. */
  RedriveResult redrive(UUID id);
}
