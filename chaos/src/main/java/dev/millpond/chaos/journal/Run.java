package dev.millpond.chaos.journal;

import java.util.UUID;

/**
 * One start of a handler.
 *
 * @param name unique; begins with the process id of its worker and a dot
 * @param number of its job
 * @param token under which it ran
 * @param attempt by the worker's count
 * @param startedMillis by the clock of the records
 * @param end how it ended
 * @param endedMillis 0 while it has not
 */
public record Run(
    String name,
    long number,
    UUID job,
    int token,
    int attempt,
    long startedMillis,
    End end,
    long endedMillis) {

  /** How a run ended, as its handler saw it. */
  public enum End {
    /** It has not, or its process died in it. */
    OPEN,
    SUCCEEDED,
    FAILED_ON_PURPOSE,
    /** It was interrupted, or what it called failed. */
    STOPPED
  }

  /** The worker process. */
  public long pid() {
    return Long.parseLong(name.substring(0, name.indexOf('.')));
  }

  Run ended(End newEnd, long millis) {
    return new Run(name, number, job, token, attempt, startedMillis, newEnd, millis);
  }
}
