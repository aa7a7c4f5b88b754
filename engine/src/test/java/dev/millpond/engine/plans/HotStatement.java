package dev.millpond.engine.plans;

import dev.millpond.engine.Fleet.Mode;
import java.util.EnumSet;
import java.util.Set;

/** What runs for jobs, and what looks all the time; found in the log by a part of its text. */
@SuppressWarnings("ImmutableEnumChecker") // nobody changes its sets
enum HotStatement {
  MARKER(
      "Flush: marker",
      "A repeated flush violates its key, which says that it had been committed.",
      "INSERT INTO millpond.flush_marker"),
  JOBS("Flush: jobs", "What was submitted.", "INSERT INTO millpond.job ("),
  BATCHES(
      "Flush: dispatch rows",
      "The batches that the new jobs travel in.",
      "INSERT INTO millpond.dispatch (id, queue, class, kind, shard, job_ids, sent_at"),
  SCHEDULED(
      "Flush: scheduled jobs",
      "Jobs with a delay get a state row.",
      "INSERT INTO millpond.job_state (job_id, queue, class, kind, phase, lease_token, attempt,"
          + " run_at)"),
  GATE(
      "Flush: gate and fence",
      "Deletes the rows of finished batches; fails when one is gone or a job of it has a later"
          + " token.",
      "WITH g AS (DELETE FROM millpond.dispatch"),
  OUTCOMES(
      "Flush: outcomes",
      "How jobs ended.",
      "started_at, result) SELECT unnest($1::uuid[]), 'succeeded'"),
  DEPTH(
      "Flush: depth",
      "What it adds to the depth of lanes.",
      "INSERT INTO millpond.queue_depth (queue, class, delta, departed, bytes) SELECT unnest("),
  FULL(
      "Before a flush: is the queue full?",
      "What a lane asks about a queue when its credit is used up.",
      "SELECT q.depth, q.bytes, q.capacity,"),
  CLAIM(
      "Claim",
      "Takes waiting batches of the lanes and kinds that there is room for.",
      "UPDATE millpond.dispatch SET claimed_by",
      Mode.POSTGRES),
  LOAD_ROWS(
      "Load: dispatch rows",
      "Which claimed batches still exist.",
      "SELECT id FROM millpond.dispatch WHERE id = ANY"),
  LOAD_JOBS_ALONG(
      "Load along spans: jobs",
      "Payloads and options of the jobs of a claim whose ids lie together.",
      "SELECT s.n, j.id, j.payload, j.options"),
  LOAD_OUTCOMES_ALONG(
      "Load along spans: outcomes",
      "Which of them have ended already.",
      "SELECT s.n, o.job_id FROM unnest"),
  LOAD_STATES_ALONG(
      "Load along spans: states",
      "Tokens and attempts of those off the straight path.",
      "SELECT s.n, t.job_id, t.phase"),
  LOAD_JOBS(
      "Load by id: jobs",
      "The same where other jobs lie between them.",
      "id, payload, options FROM millpond.job WHERE id = ANY"),
  LOAD_OUTCOMES(
      "Load by id: outcomes",
      "Which of them have ended already.",
      "job_id FROM millpond.job_outcome WHERE job_id = ANY ($"),
  LOAD_STATES(
      "Load by id: states",
      "Tokens and attempts of those off the straight path.",
      "job_id, phase, lease_token, attempt FROM millpond.job_state WHERE job_id = ANY"),
  LOCK_STATES(
      "Cold flush: locks",
      "State rows of what failed, was tracked or is given back.",
      "SELECT job_id, lease_token, phase, session, cancel_requested"),
  ATTEMPTS("Cold flush: attempts", "Attempts that failed.", "INSERT INTO millpond.job_attempt"),
  RETRIES(
      "Cold flush: retries",
      "Schedules the next attempts.",
      "phase, wait_reason, lease_token, attempt, run_at)"),
  KEYS(
      "Cold flush: keys",
      "Idempotency keys; a key that is taken gives no row.",
      "INSERT INTO millpond.idempotency_key"),
  BEAT("Heartbeat: session", "The session lives.", "UPDATE millpond.worker SET beat_at"),
  REFRESH(
      "Heartbeat: running jobs",
      "Jobs that run for longer than a beat are still at work.",
      "UPDATE millpond.job_state s SET seen_at"),
  PROMOTE(
      "Promoter: due jobs",
      "Scheduled jobs and retries whose time has come.",
      "UPDATE millpond.job_state SET phase = 'runnable'"),
  REAP_RUNNING(
      "Reaper: running jobs",
      "Running jobs that nobody refreshes.",
      "FROM millpond.job_state s WHERE s.phase = 'running'"),
  SORTS(
      "Feeder: lanes and kinds",
      "Which lanes and kinds have batches, by skipping along an index.",
      "WITH RECURSIVE t AS",
      Mode.STREAMS),
  FEED(
      "Feeder: waiting batches",
      "Marks the oldest waiting batches of a lane as sent.",
      "UPDATE millpond.dispatch SET sent_at",
      Mode.STREAMS),
  RECONCILE(
      "Reconciler: streamed batches",
      "Batches that were sent a while ago and are still there.",
      "SELECT id, queue, class, kind, shard, sent_at <");

  final String title;
  final String purpose;
  final String fragment;
  final Set<Mode> modes;

  HotStatement(String title, String purpose, String fragment, Mode... only) {
    this.title = title;
    this.purpose = purpose;
    this.fragment = fragment;
    this.modes = only.length == 0 ? EnumSet.allOf(Mode.class) : Set.of(only);
  }

  /** Which of them a node's life always comes to; the others depend on what happens at once. */
  static Set<HotStatement> always(Mode mode) {
    Set<HotStatement> always =
        EnumSet.complementOf(
            EnumSet.of(
                LOAD_JOBS_ALONG,
                LOAD_OUTCOMES_ALONG,
                LOAD_STATES_ALONG,
                LOAD_JOBS,
                LOAD_OUTCOMES,
                LOAD_STATES));
    always.removeIf(statement -> !statement.modes.contains(mode));
    return always;
  }

  boolean is(Plan plan) {
    return plan.sql().contains(fragment);
  }
}
