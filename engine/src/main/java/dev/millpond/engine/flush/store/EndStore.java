package dev.millpond.engine.flush.store;

import dev.millpond.api.JobView.JobError;
import dev.millpond.engine.flush.Portion;
import dev.millpond.engine.flush.Portion.Cancelled;
import dev.millpond.engine.flush.Portion.Failure;
import dev.millpond.engine.flush.Portion.LogLine;
import dev.millpond.engine.flush.Portion.Next;
import dev.millpond.engine.flush.Portion.Returned;
import dev.millpond.engine.flush.Portion.Started;
import dev.millpond.engine.flush.Portion.Success;
import dev.millpond.engine.flush.store.ColdFlush.Passed;
import dev.millpond.engine.flush.store.ResultStore.Kept;
import dev.millpond.engine.lifecycle.store.PgArray;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Writes how attempts ended. The caller has passed their gates and holds the locks of their state
 * rows; it owns the transaction. Stateless.
 */
final class EndStore {
  private static final String OUTCOMES =
      """
      INSERT INTO millpond.job_outcome
             (job_id, outcome, attempt, lease_token, worker_id, started_at, result)
      SELECT u.id, u.outcome, u.attempt, u.token, ?, u.started, u.result
      FROM unnest(?::uuid[], ?::text[], ?::int4[], ?::int4[], ?::timestamptz[], ?::text[])
           AS u (id, outcome, attempt, token, started, result)
      ON CONFLICT (job_id) DO NOTHING
      RETURNING job_id
      """;

  private static final String DELETE_STATES =
      "DELETE FROM millpond.job_state WHERE job_id = ANY (?::uuid[])";

  private static final String ATTEMPTS =
      """
      INSERT INTO millpond.job_attempt
             (job_id, lease_token, attempt, worker_id, started_at, ended,
              error_type, error_message, error_stack)
      SELECT u.id, u.token, u.attempt, ?, u.started, u.ended, u.type, u.message, u.stack
      FROM unnest(?::uuid[], ?::int4[], ?::int4[], ?::timestamptz[], ?::text[], ?::text[], ?::text[],
                  ?::text[])
           AS u (id, token, attempt, started, ended, type, message, stack)
      ON CONFLICT (job_id, lease_token) DO NOTHING
      """;

  private static final String RETRY =
      """
      INSERT INTO millpond.job_state
             (job_id, queue, class, kind, phase, wait_reason, lease_token, attempt, run_at)
      SELECT u.id, u.queue, u.class, u.kind, 'scheduled', 'retry', u.token + 1, u.attempt + 1,
             now() + u.delay * interval '1 microsecond'
      FROM unnest(?::uuid[], ?::text[], ?::text[], ?::text[], ?::int4[], ?::int4[], ?::int8[])
           AS u (id, queue, class, kind, token, attempt, delay)
      ON CONFLICT (job_id) DO UPDATE
          SET phase = 'scheduled', wait_reason = 'retry', lease_token = excluded.lease_token,
              attempt = excluded.attempt, run_at = excluded.run_at, crashes = 0,
              losses = 0, alone_in = NULL,
              session = NULL, started_at = NULL, seen_at = NULL, deadline = NULL,
              cancel_requested = false, progress_percent = NULL, progress_message = NULL
          WHERE job_state.lease_token = excluded.lease_token - 1
      """;

  private static final String DEAD =
      """
      INSERT INTO millpond.job_state
             (job_id, queue, class, kind, phase, lease_token, attempt)
      SELECT u.id, u.queue, u.class, u.kind, 'dead', u.token + 1, u.attempt
      FROM unnest(?::uuid[], ?::text[], ?::text[], ?::text[], ?::int4[], ?::int4[])
           AS u (id, queue, class, kind, token, attempt)
      ON CONFLICT (job_id) DO UPDATE
          SET phase = 'dead', wait_reason = NULL, lease_token = excluded.lease_token,
              attempt = excluded.attempt, run_at = NULL,
              session = NULL, started_at = NULL, seen_at = NULL, deadline = NULL,
              cancel_requested = false, progress_percent = NULL, progress_message = NULL
          WHERE job_state.lease_token = excluded.lease_token - 1
      """;

  private static final String DEAD_LETTERS =
      """
      INSERT INTO millpond.dead_letter
             (job_id, queue, class, kind, attempts, reason, error_type, error_message, error_stack)
      SELECT * FROM unnest(?::uuid[], ?::text[], ?::text[], ?::text[], ?::int4[], ?::text[],
                           ?::text[], ?::text[], ?::text[])
      """;

  private static final String TRACK =
      """
      INSERT INTO millpond.job_state
             (job_id, queue, class, kind, phase, lease_token, attempt, session, started_at, seen_at,
              deadline)
      SELECT u.id, u.queue, u.class, u.kind, 'running', u.token, u.attempt, ?, u.started, now(),
             now() + u.deadline * interval '1 millisecond'
      FROM unnest(?::uuid[], ?::text[], ?::text[], ?::text[], ?::int4[], ?::int4[], ?::timestamptz[],
                  ?::int8[])
           AS u (id, queue, class, kind, token, attempt, started, deadline)
      ON CONFLICT (job_id) DO UPDATE
          SET phase = 'running', wait_reason = NULL, session = excluded.session, alone = false,
              started_at = excluded.started_at, seen_at = excluded.seen_at,
              deadline = excluded.deadline
          WHERE job_state.lease_token = excluded.lease_token
      """;

  private static final String GIVE_BACK =
      """
      INSERT INTO millpond.job_state (job_id, queue, class, kind, phase, lease_token, attempt)
      SELECT u.id, u.queue, u.class, u.kind, 'runnable', u.token + 1, u.attempt
      FROM unnest(?::uuid[], ?::text[], ?::text[], ?::text[], ?::int4[], ?::int4[])
           AS u (id, queue, class, kind, token, attempt)
      ON CONFLICT (job_id) DO UPDATE
          SET phase = 'runnable', lease_token = excluded.lease_token, attempt = excluded.attempt,
              session = NULL, started_at = NULL, seen_at = NULL, deadline = NULL,
              progress_percent = NULL, progress_message = NULL
          WHERE job_state.lease_token = excluded.lease_token - 1
      """;

  private EndStore() {}

  private record Outcome(
      Portion portion,
      UUID jobId,
      String outcome,
      int attempt,
      int token,
      long startedMicros,
      @Nullable String result) {}

  /**
   * Inserts outcomes.
   *
   * @param lost told of each job that had an outcome already
   */
  static void insertOutcomes(
      Connection tx,
      List<Passed<Success>> successes,
      List<Passed<Cancelled>> cancelled,
      UUID session,
      BiConsumer<Portion, UUID> lost)
      throws SQLException {
    List<Outcome> outcomes = new ArrayList<>();
    for (Passed<Success> passed : successes) {
      Success s = passed.what();
      outcomes.add(
          new Outcome(
              passed.portion(),
              s.jobId(),
              "succeeded",
              s.attempt(),
              s.token(),
              s.startedMicros(),
              s.resultApart() ? null : s.result()));
    }
    for (Passed<Cancelled> passed : cancelled) {
      Cancelled c = passed.what();
      outcomes.add(
          new Outcome(
              passed.portion(),
              c.jobId(),
              "cancelled",
              c.attempt(),
              c.token(),
              c.startedMicros(),
              null));
    }
    if (outcomes.isEmpty()) {
      return;
    }
    Set<UUID> written = new HashSet<>();
    try (PreparedStatement statement = tx.prepareStatement(OUTCOMES)) {
      int i = 0;
      statement.setObject(++i, session);
      statement.setObject(++i, PgArray.uuids(outcomes, Outcome::jobId));
      statement.setObject(++i, PgArray.texts(outcomes, Outcome::outcome));
      statement.setObject(++i, PgArray.ints(outcomes, Outcome::attempt));
      statement.setObject(++i, PgArray.ints(outcomes, Outcome::token));
      statement.setObject(++i, PgArray.instants(outcomes, Outcome::startedMicros));
      statement.setObject(++i, PgArray.texts(outcomes, Outcome::result));
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          written.add(rows.getObject(1, UUID.class));
        }
      }
    }
    ResultStore.insert(tx, kept(successes, written));
    for (Outcome outcome : outcomes) {
      if (!written.contains(outcome.jobId())) {
        lost.accept(outcome.portion(), outcome.jobId());
      }
    }
  }

  private static List<Kept> kept(List<Passed<Success>> successes, Set<UUID> written) {
    List<Kept> kept = new ArrayList<>();
    for (Passed<Success> passed : successes) {
      Success success = passed.what();
      String result = success.result();
      if (result != null && success.resultApart() && written.contains(success.jobId())) {
        kept.add(new Kept(success.jobId(), result, success.resultTtlMicros()));
      }
    }
    return kept;
  }

  static void deleteStates(Connection tx, List<UUID> ids) throws SQLException {
    if (ids.isEmpty()) {
      return;
    }
    try (PreparedStatement statement = tx.prepareStatement(DELETE_STATES)) {
      statement.setObject(1, PgArray.uuids(ids.toArray(UUID[]::new)));
      statement.executeUpdate();
    }
  }

  private record Attempt(
      UUID jobId,
      int token,
      int attempt,
      long startedMicros,
      String ended,
      @Nullable String type,
      @Nullable String message,
      @Nullable String stack) {}

  static void insertAttempts(
      Connection tx,
      List<Passed<Failure>> failures,
      List<Passed<Cancelled>> cancelled,
      UUID session)
      throws SQLException {
    List<Attempt> attempts = new ArrayList<>();
    for (Passed<Failure> passed : failures) {
      Failure f = passed.what();
      attempts.add(
          new Attempt(
              f.jobId(),
              f.token(),
              f.attempt(),
              f.startedMicros(),
              f.ended(),
              f.error().type(),
              f.error().message(),
              f.error().stack()));
    }
    for (Passed<Cancelled> passed : cancelled) {
      Cancelled c = passed.what();
      JobError error = c.error();
      attempts.add(
          new Attempt(
              c.jobId(),
              c.token(),
              c.attempt(),
              c.startedMicros(),
              "cancelled",
              error == null ? null : error.type(),
              error == null ? null : error.message(),
              error == null ? null : error.stack()));
    }
    if (attempts.isEmpty()) {
      return;
    }
    try (PreparedStatement statement = tx.prepareStatement(ATTEMPTS)) {
      int i = 0;
      statement.setObject(++i, session);
      statement.setObject(++i, PgArray.uuids(attempts, Attempt::jobId));
      statement.setObject(++i, PgArray.ints(attempts, Attempt::token));
      statement.setObject(++i, PgArray.ints(attempts, Attempt::attempt));
      statement.setObject(++i, PgArray.instants(attempts, Attempt::startedMicros));
      statement.setObject(++i, PgArray.texts(attempts, Attempt::ended));
      statement.setObject(++i, PgArray.texts(attempts, Attempt::type));
      statement.setObject(++i, PgArray.texts(attempts, Attempt::message));
      statement.setObject(++i, PgArray.texts(attempts, Attempt::stack));
      statement.executeUpdate();
    }
  }

  /** Schedules the next attempts. */
  static void retry(Connection tx, List<Passed<Failure>> failures) throws SQLException {
    List<Passed<Failure>> retries =
        failures.stream().filter(f -> f.what().next() instanceof Next.Retry).toList();
    if (retries.isEmpty()) {
      return;
    }
    try (PreparedStatement statement = tx.prepareStatement(RETRY)) {
      int i = bindState(statement, retries);
      statement.setObject(++i, PgArray.longs(retries, EndStore::delayMicros));
      statement.executeUpdate();
    }
  }

  private static long delayMicros(Passed<Failure> failure) {
    return failure.what().next() instanceof Next.Retry retry ? retry.delayMicros() : 0;
  }

  private static int bindState(PreparedStatement statement, List<Passed<Failure>> failures)
      throws SQLException {
    int i = 0;
    statement.setObject(++i, PgArray.uuids(failures, f -> f.what().jobId()));
    i = bindPlace(statement, i, failures);
    statement.setObject(++i, PgArray.ints(failures, f -> f.what().token()));
    statement.setObject(++i, PgArray.ints(failures, f -> f.what().attempt()));
    return i;
  }

  private static <T> int bindPlace(PreparedStatement statement, int at, List<Passed<T>> passed)
      throws SQLException {
    int i = at;
    statement.setObject(++i, PgArray.texts(passed, p -> p.portion().lane().queue()));
    statement.setObject(++i, PgArray.texts(passed, p -> p.portion().lane().priorityClass()));
    statement.setObject(++i, PgArray.texts(passed, p -> p.portion().kind()));
    return i;
  }

  /** Makes dead letters of jobs that will not be tried again. */
  static void bury(Connection tx, List<Passed<Failure>> failures) throws SQLException {
    List<Passed<Failure>> dead =
        failures.stream().filter(f -> f.what().next() instanceof Next.Dead).toList();
    if (dead.isEmpty()) {
      return;
    }
    try (PreparedStatement statement = tx.prepareStatement(DEAD)) {
      bindState(statement, dead);
      statement.executeUpdate();
    }
    try (PreparedStatement statement = tx.prepareStatement(DEAD_LETTERS)) {
      int i = 0;
      statement.setObject(++i, PgArray.uuids(dead, f -> f.what().jobId()));
      i = bindPlace(statement, i, dead);
      statement.setObject(++i, PgArray.ints(dead, f -> f.what().attempt()));
      statement.setObject(++i, PgArray.texts(dead, EndStore::reason));
      statement.setObject(++i, PgArray.texts(dead, f -> f.what().error().type()));
      statement.setObject(++i, PgArray.texts(dead, f -> f.what().error().message()));
      statement.setObject(++i, PgArray.texts(dead, f -> f.what().error().stack()));
      statement.executeUpdate();
    }
  }

  private static String reason(Passed<Failure> failure) {
    return failure.what().next() instanceof Next.Dead dead ? dead.reason() : "";
  }

  /** Makes stopped attempts runnable again under a new token, as the same attempt. */
  static void giveBack(Connection tx, List<Passed<Returned>> returned) throws SQLException {
    if (returned.isEmpty()) {
      return;
    }
    try (PreparedStatement statement = tx.prepareStatement(GIVE_BACK)) {
      int i = 0;
      statement.setObject(++i, PgArray.uuids(returned, r -> r.what().jobId()));
      i = bindPlace(statement, i, returned);
      statement.setObject(++i, PgArray.ints(returned, r -> r.what().token()));
      statement.setObject(++i, PgArray.ints(returned, r -> r.what().attempt()));
      statement.executeUpdate();
    }
  }

  /** Gives jobs that run on a state row of their own. */
  static void track(Connection tx, List<Passed<Started>> started, UUID session)
      throws SQLException {
    if (started.isEmpty()) {
      return;
    }
    try (PreparedStatement statement = tx.prepareStatement(TRACK)) {
      int i = 0;
      statement.setObject(++i, session);
      statement.setObject(++i, PgArray.uuids(started, s -> s.what().jobId()));
      i = bindPlace(statement, i, started);
      statement.setObject(++i, PgArray.ints(started, s -> s.what().token()));
      statement.setObject(++i, PgArray.ints(started, s -> s.what().attempt()));
      statement.setObject(++i, PgArray.instants(started, s -> s.what().startedMicros()));
      statement.setObject(++i, PgArray.longs(started, s -> s.what().deadlineMillis()));
      statement.executeUpdate();
    }
  }

  static void insertLogs(
      Connection tx, List<Portion> portions, IdentityHashMap<Portion, Set<UUID>> stale)
      throws SQLException {
    List<LogLine> lines = new ArrayList<>();
    for (Portion portion : portions) {
      Set<UUID> lost = stale.getOrDefault(portion, Set.of());
      portion.logs().stream().filter(l -> !lost.contains(l.jobId())).forEach(lines::add);
    }
    LogStore.insert(tx, lines);
  }
}
