package dev.millpond.engine.simulation;

import java.util.Arrays;
import java.util.List;
import java.util.Set;

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

  /**
   * What was asked. Never changes.
   *
   * @param lane its queue and class
   * @param kind which some workers run
   * @param key its idempotency key; 0 for none
   */
  record Job(int id, int lane, int kind, int key, boolean delayed) {}

  /** An idempotency key: the job that has it, and what was asked under it. */
  record KeyRow(int job, int body) {}

  /** How it ended; one for each job. */
  record Outcome(boolean succeeded, int token, int session) {}

  /**
   * How a job was lost with its processes since the last end of an attempt (ADR 25).
   *
   * @param crashes while it ran alone, of processes that are known to have died
   * @param aloneIn processes of unknown fate in which it was lost while it ran alone
   */
  record Past(int losses, int crashes, List<Integer> aloneIn) {
    static final Past NONE = new Past(0, 0, List.of());
  }

  /**
   * A job off the straight path; no row means token 1, attempt 1.
   *
   * @param alone whether it runs with nothing else in its process
   */
  record State(
      Phase phase,
      int token,
      int attempt,
      Past past,
      int session,
      long runAt,
      long seenAt,
      boolean cancelRequested,
      boolean alone) {

    static State resting(Phase phase, int token, int attempt, Past past, long runAt) {
      return new State(phase, token, attempt, past, NOBODY, runAt, NEVER, false, false);
    }

    static State running(int token, int attempt, Past past, int session, long seenAt) {
      return new State(Phase.RUNNING, token, attempt, past, session, NEVER, seenAt, false, false);
    }

    State seen(long at) {
      return new State(phase, token, attempt, past, session, runAt, at, cancelRequested, alone);
    }

    State cancelling() {
      return new State(phase, token, attempt, past, session, runAt, seenAt, true, alone);
    }

    State noted(boolean runsAlone) {
      return new State(
          phase, token, attempt, past, session, runAt, seenAt, cancelRequested, runsAlone);
    }
  }

  /** Jobs of a lane that travel together, each at a token. */
  static final class Batch {
    private final int id;
    private final int lane;
    private final int kind;
    private final int[] jobs;
    private final int[] tokens;

    /** The arrays are not changed any more. */
    Batch(int id, int lane, int kind, int[] jobs, int[] tokens) {
      this.id = id;
      this.lane = lane;
      this.kind = kind;
      this.jobs = jobs;
      this.tokens = tokens;
    }

    int id() {
      return id;
    }

    int lane() {
      return lane;
    }

    int kind() {
      return kind;
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

  /**
   * A batch on its way: waiting, sent, or claimed.
   *
   * @param direct whether it is meant for no stream
   */
  record Dispatch(
      Batch batch, int shard, boolean direct, long sentAt, int claimedBy, long claimedAt) {
    static Dispatch waiting(Batch batch, int shard, boolean direct) {
      return new Dispatch(batch, shard, direct, NEVER, NOBODY, NEVER);
    }

    /** On the stream of another shard. */
    Dispatch adopted(int by, long at) {
      return new Dispatch(batch, by, direct, at, claimedBy, claimedAt);
    }

    Dispatch waitsAgain() {
      return new Dispatch(batch, shard, direct, NEVER, claimedBy, claimedAt);
    }

    Dispatch directly() {
      return new Dispatch(batch, shard, true, sentAt, claimedBy, claimedAt);
    }

    boolean waits() {
      return sentAt == NEVER && claimedBy == NOBODY;
    }

    Dispatch sent(long at) {
      return new Dispatch(batch, shard, direct, at, claimedBy, claimedAt);
    }

    Dispatch claimed(int session, long at) {
      return new Dispatch(batch, shard, direct, sentAt, session, at);
    }
  }

  /**
   * A session of a process.
   *
   * @param died whether its process is known to have died
   * @param shards whose streams it reads now
   */
  record Beat(
      int process,
      boolean fenced,
      boolean died,
      boolean draining,
      long at,
      Set<Integer> kinds,
      Set<Integer> shards) {
    Beat lost(boolean dead) {
      return new Beat(process, true, died || dead, draining, at, kinds, shards);
    }

    /** Whether it takes jobs. */
    boolean takes(long now) {
      return !fenced && !draining && at > now - World.LEASE;
    }
  }

  /** The leader's lease. */
  record Lease(int epoch, int holder, long expiresAt) {}
}
