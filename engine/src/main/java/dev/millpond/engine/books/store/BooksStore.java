package dev.millpond.engine.books.store;

import dev.millpond.engine.books.BooksReport.Finding;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.lifecycle.store.JobTables;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.lifecycle.store.PgArray;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/** The rules of the books in SQL: each query lists what must not be. Stateless. */
public final class BooksStore {
  /** Each job that a dispatch row names, with the token it names. */
  private static final String NAMED =
      """
      SELECT d.id AS dispatch_id, n.job_id, coalesce(n.token, 1) AS token, d.queue, d.class, d.kind
      FROM millpond.dispatch d
      CROSS JOIN LATERAL unnest(d.job_ids, d.tokens) AS n (job_id, token)
      """;

  /** A row holds a live job when it names it at its current token and nobody runs or delays it. */
  private static final String HOLDING =
      "SELECT n.* FROM ("
          + NAMED
          + """
          ) AS n
          LEFT JOIN millpond.job_state s ON s.job_id = n.job_id
          LEFT JOIN millpond.job_outcome o ON o.job_id = n.job_id
          WHERE o.job_id IS NULL AND n.token = coalesce(s.lease_token, 1)
          """;

  /**
   * Depth of each lane: counted by deltas, and as the rows have it. Both are of one snapshot.
   *
   * @see #bytes for the same in bytes
   */
  public static final String DEPTHS =
      """
      SELECT coalesce(c.queue, w.queue) AS queue, coalesce(c.class, w.class) AS class,
             coalesce(c.n, 0) AS counted, coalesce(w.n, 0) AS actual
      FROM (SELECT queue, class, sum(delta) AS n
            FROM millpond.queue_depth GROUP BY queue, class) AS c
      FULL JOIN (SELECT queue, class, count(*) AS n FROM (
                     SELECT h.queue, h.class FROM (
      """
          + HOLDING
          + """
                         ) AS h
                         UNION ALL
                         SELECT queue, class FROM millpond.job_state WHERE phase = 'running'
                     ) AS l GROUP BY queue, class) AS w ON w.queue = c.queue AND w.class = c.class
          """;

  /**
   * The bytes of payloads of each lane, counted and as they are, as in {@link #DEPTHS}.
   *
   * @param most lanes with more jobs, as counted, are left out: each job is looked up
   */
  public static String bytes(long most) {
    return """
    SELECT coalesce(c.queue, w.queue) AS queue, coalesce(c.class, w.class) AS class,
           coalesce(c.n, 0) AS counted, coalesce(w.n, 0) AS actual
    FROM (SELECT queue, class, sum(bytes) AS n
          FROM millpond.queue_depth GROUP BY queue, class HAVING sum(delta) <= %d) AS c
    FULL JOIN (SELECT l.queue, l.class, sum(octet_length(j.payload)) AS n FROM (
                   SELECT h.queue, h.class, h.job_id FROM (%s) AS h
                   UNION ALL
                   SELECT queue, class, job_id FROM millpond.job_state WHERE phase = 'running'
               ) AS l JOIN millpond.job j ON j.id = l.job_id
               WHERE (l.queue, l.class) NOT IN (
                   SELECT queue, class FROM millpond.queue_depth
                   GROUP BY queue, class HAVING sum(delta) > %d)
               GROUP BY l.queue, l.class) AS w ON w.queue = c.queue AND w.class = c.class
    """
        .formatted(most, HOLDING, most);
  }

  /** Jobs that call webhooks, and what they tell; a replaced one has an edited copy. */
  private static final String CALLS =
      """
      SELECT j.id AS call, (j.payload::json ->> 'jobId')::uuid AS job_id,
             j.payload::json ->> 'state' AS state, (j.payload::json ->> 'leaseToken')::int AS token
      FROM millpond.job j WHERE j.kind = 'millpond.webhook'
        AND NOT EXISTS (SELECT FROM millpond.job_attempt a
                        WHERE a.job_id = j.id AND a.error_type = 'replaced')
      """;

  /**
   * Ends of the last hour that have to be told: what is older may have been dropped with its day.
   */
  private static final String TOLD =
      """
      SELECT o.job_id, o.outcome AS state, o.lease_token AS token
      FROM millpond.job_outcome o JOIN millpond.job j ON j.id = o.job_id
      WHERE o.ended_at > now() - interval '1 hour' AND j.options::json ->> 'webhook' IS NOT NULL
      UNION ALL
      SELECT d.job_id, 'dead', s.lease_token
      FROM millpond.dead_letter d JOIN millpond.job_state s ON s.job_id = d.job_id
      JOIN millpond.job j ON j.id = d.job_id
      WHERE d.dead_at > now() - interval '1 hour' AND j.options::json ->> 'webhook' IS NOT NULL
      """;

  /** Rule to query; each gives subject and detail, takes a limit, and reads one snapshot. */
  private static final Map<String, String> RULES = rules();

  private BooksStore() {}

  private static Map<String, String> rules() {
    Map<String, String> rules = new LinkedHashMap<>();
    rules.put(
        "lost",
        "SELECT j.id::text, 'neither outcome nor holder, kind ' || j.kind FROM millpond.job j"
            + " LEFT JOIN millpond.job_outcome o ON o.job_id = j.id"
            + " LEFT JOIN millpond.job_state s ON s.job_id = j.id"
            + " LEFT JOIN ("
            + NAMED
            + ") AS n ON n.job_id = j.id AND n.token = coalesce(s.lease_token, 1)"
            + " WHERE o.job_id IS NULL AND n.job_id IS NULL"
            + " AND (s.job_id IS NULL OR s.phase = 'runnable')");
    rules.put(
        "two-holders",
        "SELECT h.job_id::text, 'named by ' || count(*) || ' dispatch rows at its token' FROM ("
            + HOLDING
            + ") AS h GROUP BY h.job_id HAVING count(*) > 1");
    rules.put(
        "held-and-off",
        "SELECT h.job_id::text, 'on its way in ' || h.dispatch_id || ' and ' || s.phase FROM ("
            + HOLDING
            + ") AS h JOIN millpond.job_state s ON s.job_id = h.job_id"
            + " WHERE s.phase <> 'runnable'");
    rules.put(
        "token-ahead",
        "SELECT n.job_id::text, 'dispatch row names token ' || n.token || ', current is '"
            + " || coalesce(s.lease_token, 1) FROM ("
            + NAMED
            + ") AS n LEFT JOIN millpond.job_state s ON s.job_id = n.job_id"
            + " LEFT JOIN millpond.job_outcome o ON o.job_id = n.job_id"
            + " WHERE o.job_id IS NULL AND n.token > coalesce(s.lease_token, 1)");
    rules.put(
        "unknown-job",
        "SELECT n.job_id::text, 'named by ' || n.dispatch_id || ', has no row' FROM ("
            + NAMED
            + ") AS n LEFT JOIN millpond.job j ON j.id = n.job_id WHERE j.id IS NULL");
    rules.put(
        "wrong-lane",
        "SELECT n.job_id::text, 'travels in ' || n.queue || '/' || n.class || ' as ' || n.kind FROM"
            + " ("
            + NAMED
            + ") AS n JOIN millpond.job j ON j.id = n.job_id"
            + " LEFT JOIN millpond.job_state s ON s.job_id = n.job_id"
            + " LEFT JOIN millpond.job_outcome o ON o.job_id = n.job_id"
            + " WHERE (j.queue, j.kind) <> (n.queue, n.kind)"
            // Its class may have been changed, which its state row knows while it lives.
            + " OR (o.job_id IS NULL AND n.token = coalesce(s.lease_token, 1)"
            + "     AND coalesce(s.class, j.class) <> n.class)");
    rules.put(
        "outcome-without-job",
        "SELECT o.job_id::text, o.outcome FROM millpond.job_outcome o"
            + " LEFT JOIN millpond.job j ON j.id = o.job_id WHERE j.id IS NULL");
    rules.put(
        "state-without-job",
        "SELECT s.job_id::text, s.phase FROM millpond.job_state s"
            + " LEFT JOIN millpond.job j ON j.id = s.job_id WHERE j.id IS NULL");
    rules.put(
        "ended-and-running",
        "SELECT s.job_id::text, 'has an outcome and is ' || s.phase FROM millpond.job_state s"
            + " JOIN millpond.job_outcome o ON o.job_id = s.job_id"
            + " WHERE s.phase IN ('running', 'dead', 'waiting')");
    rules.put(
        "dead-without-letter",
        "SELECT s.job_id::text, 'dead without a dead letter' FROM millpond.job_state s"
            + " LEFT JOIN millpond.dead_letter d ON d.job_id = s.job_id"
            + " WHERE s.phase = 'dead' AND d.job_id IS NULL");
    rules.put(
        "letter-without-dead",
        "SELECT d.job_id::text, 'dead letter of a job that is ' || coalesce(s.phase, 'not dead')"
            + " FROM millpond.dead_letter d LEFT JOIN millpond.job_state s ON s.job_id = d.job_id"
            + " WHERE s.phase IS DISTINCT FROM 'dead'");
    rules.put(
        "expiry-without-job",
        "SELECT e.job_id::text, 'expires at ' || e.expires_at || ', has no row'"
            + " FROM millpond.job_expiry e"
            + " LEFT JOIN millpond.job j ON j.id = e.job_id WHERE j.id IS NULL");
    rules.put(
        "result-before-end",
        "SELECT r.job_id::text, 'has a result and no outcome that it belongs to'"
            + " FROM millpond.job_result r JOIN millpond.job j ON j.id = r.job_id"
            + " LEFT JOIN millpond.job_outcome o ON o.job_id = r.job_id"
            + " WHERE o.outcome IS DISTINCT FROM 'succeeded' OR o.result IS NOT NULL");
    rules.put(
        "attempt-ahead",
        "SELECT a.job_id::text, 'attempt ended under token ' || max(a.lease_token)"
            + " || ', the job is at ' || max(coalesce(s.lease_token, o.lease_token, 1))"
            + " FROM millpond.job_attempt a"
            + " LEFT JOIN millpond.job_state s ON s.job_id = a.job_id"
            + " LEFT JOIN millpond.job_outcome o ON o.job_id = a.job_id"
            + " GROUP BY a.job_id"
            + " HAVING max(a.lease_token) > max(coalesce(s.lease_token, o.lease_token, 1))");
    rules.put(
        "webhook-missing",
        "SELECT e.job_id::text, e.state || ' with a webhook, and has ' || count(c.job_id) || '"
            + " calls' FROM ("
            + TOLD
            + ") AS e LEFT JOIN ("
            + CALLS
            + ") AS c ON c.job_id = e.job_id AND c.state = e.state AND c.token = e.token"
            + " GROUP BY e.job_id, e.state HAVING count(c.job_id) <> 1");
    rules.put(
        "webhook-without-end",
        "SELECT c.call::text, 'tells that ' || c.job_id || ' is ' || c.state || ' at token '"
            + " || c.token FROM ("
            + CALLS
            + ") AS c JOIN millpond.job j ON j.id = c.job_id LEFT JOIN millpond.job_state s ON"
            + " s.job_id = c.job_id LEFT JOIN millpond.job_outcome o ON o.job_id = c.job_id WHERE"
            + " CASE c.state WHEN 'dead' THEN c.token > coalesce(o.lease_token, s.lease_token, 1)"
            + " ELSE (o.outcome, o.lease_token) IS DISTINCT FROM (c.state, c.token) END");
    rules.put(
        "depth",
        "SELECT queue || '/' || class, 'counted ' || counted || ', are ' || actual FROM ("
            + DEPTHS
            + ") AS d WHERE counted <> actual");
    rules.put(
        "bytes",
        "SELECT queue || '/' || class, 'counted ' || counted || ', are ' || actual FROM ("
            + bytes(Long.MAX_VALUE)
            + ") AS d WHERE counted <> actual");
    return rules;
  }

  /** Names of the rules that {@link #findings} checks. */
  public static Set<String> ruleNames() {
    return RULES.keySet();
  }

  /** Totals. */
  public record Counts(long jobs, long outcomes, long live) {}

  /** Everything that must not be, seen in one snapshot. */
  public static List<Finding> findings(Connection tx, int limit) throws SQLException {
    List<Finding> findings = new ArrayList<>();
    try (Statement statement = tx.createStatement()) {
      statement.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;" + JobTables.HOLD);
      statement.execute("SET LOCAL statement_timeout = " + Pg.LONGEST_STATEMENT_MILLIS);
      // What must not be is expected to be rare, and then joined row by row with all that waits.
      statement.execute("SET LOCAL enable_nestloop = off");
    }
    for (Map.Entry<String, String> rule : RULES.entrySet()) {
      // Materialized: a plan for the first few rows would be a bad one, for mostly there are none.
      String sql =
          "WITH found (subject, detail) AS MATERIALIZED ("
              + rule.getValue()
              + ") SELECT subject, detail FROM found LIMIT ?";
      try (PreparedStatement statement = tx.prepareStatement(sql)) {
        statement.setInt(1, limit);
        try (ResultSet rows = statement.executeQuery()) {
          while (rows.next()) {
            findings.add(new Finding(rule.getKey(), rows.getString(1), rows.getString(2)));
          }
        }
      }
    }
    return findings;
  }

  /** Acknowledged jobs that PostgreSQL does not know, but for those old enough to be removed. */
  public static List<Finding> unknown(Connection tx, Set<UUID> acknowledged, int limit)
      throws SQLException {
    List<Finding> findings = new ArrayList<>();
    if (acknowledged.isEmpty()) {
      return findings;
    }
    String sql =
        """
        SELECT u.id::text FROM unnest(?::uuid[]) AS u (id)
        WHERE NOT EXISTS (SELECT FROM millpond.job j WHERE j.id = u.id)
          AND u.id >= coalesce((SELECT millpond.uuid_floor(value::timestamptz)
                                FROM millpond.setting WHERE key = 'retention.horizon'),
                               '00000000-0000-0000-0000-000000000000')
        LIMIT ?
        """;
    try (PreparedStatement statement = tx.prepareStatement(sql)) {
      statement.setObject(1, PgArray.uuids(acknowledged.toArray(UUID[]::new)));
      statement.setInt(2, limit);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          findings.add(
              new Finding("acknowledged-and-lost", rows.getString(1), "was accepted, has no row"));
        }
      }
    }
    return findings;
  }

  public static Counts counts(Connection tx) throws SQLException {
    String sql =
        """
        SELECT (SELECT count(*) FROM millpond.job),
               (SELECT count(*) FROM millpond.job_outcome),
               (SELECT count(*) FROM millpond.job j
                WHERE NOT EXISTS (SELECT FROM millpond.job_outcome o WHERE o.job_id = j.id))
        """;
    try (Statement statement = tx.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return new Counts(row.getLong(1), row.getLong(2), row.getLong(3));
    }
  }

  public static List<String> queues(Connection tx) throws SQLException {
    List<String> names = new ArrayList<>();
    try (Statement statement = tx.createStatement();
        ResultSet rows = statement.executeQuery("SELECT name FROM millpond.queue")) {
      while (rows.next()) {
        names.add(rows.getString(1));
      }
    }
    return names;
  }

  /** Rows of a lane that are marked as sent. */
  public static List<UUID> sent(Connection tx, Lane lane) throws SQLException {
    String sql =
        "SELECT id FROM millpond.dispatch WHERE sent_at IS NOT NULL AND queue = ? AND class = ?";
    List<UUID> ids = new ArrayList<>();
    try (PreparedStatement statement = tx.prepareStatement(sql)) {
      statement.setString(1, lane.queue());
      statement.setString(2, lane.priorityClass());
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          ids.add(rows.getObject(1, UUID.class));
        }
      }
    }
    return ids;
  }

  /** Those of the ids that have a row. */
  public static Set<UUID> existing(Connection tx, Collection<UUID> ids) throws SQLException {
    Set<UUID> existing = new HashSet<>();
    try (PreparedStatement statement =
        tx.prepareStatement("SELECT id FROM millpond.dispatch WHERE id = ANY (?::uuid[])")) {
      statement.setObject(1, PgArray.uuids(ids.toArray(UUID[]::new)));
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          existing.add(rows.getObject(1, UUID.class));
        }
      }
    }
    return existing;
  }
}
