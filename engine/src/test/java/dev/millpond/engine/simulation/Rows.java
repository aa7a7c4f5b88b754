package dev.millpond.engine.simulation;

import java.util.Arrays;

/** The rows of the model's tables: what the protocol reads and decides by, and no more. */
final class Rows {
  /** No time, where a column is null. */
  static final long NEVER = -1;

  /** No session, where a column is null. */
  static final int NOBODY = 0;

  private Rows() {}

  enum Phase {
    SCHEDULED,
    RUNNABLE,
    RUNNING,
    DEAD
  }

  /** What was asked. Never changes. */
  record Job(int id, boolean delayed) {}

  /** How it ended; one for each job. */
  record Outcome(boolean succeeded, int token, int session) {}

  /** A job off the straight path; no row means token 1, attempt 1. */
  record State(
      Phase phase,
      int token,
      int attempt,
      int crashes,
      int session,
      long runAt,
      long seenAt,
      boolean cancelRequested) {

    static State resting(Phase phase, int token, int attempt, int crashes, long runAt) {
      return new State(phase, token, attempt, crashes, NOBODY, runAt, NEVER, false);
    }

    static State running(int token, int attempt, int crashes, int session, long seenAt) {
      return new State(Phase.RUNNING, token, attempt, crashes, session, NEVER, seenAt, false);
    }

    State seen(long at) {
      return new State(phase, token, attempt, crashes, session, runAt, at, cancelRequested);
    }

    State cancelling() {
      return new State(phase, token, attempt, crashes, session, runAt, seenAt, true);
    }
  }

  /** Jobs that travel together, each at a token. */
  static final class Batch {
    private final int id;
    private final int[] jobs;
    private final int[] tokens;

    /** The arrays are not changed any more. */
    Batch(int id, int[] jobs, int[] tokens) {
      this.id = id;
      this.jobs = jobs;
      this.tokens = tokens;
    }

    int id() {
      return id;
    }

    int[] jobs() {
      return jobs;
    }

    int[] tokens() {
      return tokens;
    }

    boolean names(int job, int token) {
      for (int i = 0; i < jobs.length; i++) {
        if (jobs[i] == job && tokens[i] == token) {
          return true;
        }
      }
      return false;
    }

    @Override
    public String toString() {
      return "d" + id + Arrays.toString(jobs) + "@" + Arrays.toString(tokens);
    }
  }

  /** A batch on its way: waiting, sent, or claimed. */
  record Dispatch(Batch batch, long sentAt, int claimedBy, long claimedAt) {
    static Dispatch waiting(Batch batch) {
      return new Dispatch(batch, NEVER, NOBODY, NEVER);
    }

    boolean waits() {
      return sentAt == NEVER && claimedBy == NOBODY;
    }

    Dispatch sent(long at) {
      return new Dispatch(batch, at, claimedBy, claimedAt);
    }

    Dispatch claimed(int session, long at) {
      return new Dispatch(batch, sentAt, session, at);
    }
  }

  /** A session. */
  record Beat(boolean fenced, long at) {}

  /** The leader's lease. */
  record Lease(int epoch, int holder, long expiresAt) {}
}
