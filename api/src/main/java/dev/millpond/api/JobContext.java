package dev.millpond.api;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** One attempt as its handler sees it. Thread-safe; of no effect once the attempt has ended. */
public interface JobContext {
  UUID jobId();

  /** From 1; starts over when a dead job is redriven. */
  int attempt();

  /**
   * The fencing token: grows whenever the job is handed out anew, never goes back. Unknown to kinds
   * that run forked, whose job it fails for good.
   */
  int leaseToken();

  String kind();

  String queue();

  /**
   * The trace that the attempt belongs to, as the header {@code traceparent} of W3C Trace Context:
   * of the span of this attempt where its worker makes one, else of the submit; null for none. To
   * be sent with calls of other services where no library does, as from child processes.
   */
  default @Nullable String traceparent() {
    return null;
  }

  /**
   * Whether the attempt should stop: its soft timeout has passed, its job was cancelled, its worker
   * shuts down or has lost the job. Its thread is interrupted as well.
   */
  boolean stopRequested();

  /** Throws {@link AttemptStoppedException} when {@link #stopRequested()}. */
  void checkStop();

  /**
   * Reports how far the run has come, 0 to 100. Written with the worker's next beat, the last
   * report wins; a run shorter than that leaves none.
   */
  void progress(int percent, @Nullable String message);

  /**
   * Adds a line to the job's log, at most {@link Limits#LOG_LINES} a job. Written with the worker's
   * next beat or the job's end.
   */
  void log(String line);

  /**
   * Completes the job in one PostgreSQL transaction with the handler's own writes: both are
   * committed or neither. To be the handler's last act; what {@code run} returns afterwards is
   * ignored. Not for kinds that run forked: it fails their job for good.
   *
   * @param work writes through the connection it is given and returns the job's result; it neither
   *     commits nor rolls back
   * @throws LeaseLostException when the attempt has lost its job; nothing was written
   */
  void completeIn(TransactionalWork work) throws Exception;

  /** Writes of a handler that belong to its completion. */
  @FunctionalInterface
  interface TransactionalWork {
    @Nullable Object write(Connection connection) throws SQLException;
  }
}
