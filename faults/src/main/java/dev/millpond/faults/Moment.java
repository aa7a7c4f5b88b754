package dev.millpond.faults;

/** Where in a request a fault strikes. */
public enum Moment {
  /** Nothing of the request has gone to the server. */
  UNSENT,

  /**
   * The server has everything but what makes it commit: the Sync of a multi-statement request. The
   * same as {@link #UNSENT} for a COMMIT.
   */
  UNCOMMITTED,

  /** The server has done it and has answered; the answer is not passed on. */
  UNANSWERED
}
