package dev.millpond.api;

import org.jspecify.annotations.Nullable;

/**
 * The code that runs jobs of one kind. One instance serves many threads at once.
 *
 * <p>A job runs at least once: a worker that dies or loses touch has its jobs run again elsewhere,
 * so effects should be repeatable, or be written in {@link JobContext#completeIn}.
 *
 * @param <P> the payload's type, read from JSON
 */
@FunctionalInterface
public interface JobHandler<P> {
  /**
   * Runs one attempt.
   *
   * @return the job's result, written as JSON; null for none
   * @throws FatalJobException to end the job as dead without further attempts
   * @throws RetryJobException to choose the wait before the next attempt
   * @throws Exception any other error: tried again after the backoff, dead when attempts are used
   *     up
   */
  @Nullable Object run(JobContext context, P payload) throws Exception;
}
