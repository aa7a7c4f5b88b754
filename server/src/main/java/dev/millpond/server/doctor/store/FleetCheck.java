package dev.millpond.server.doctor.store;

import dev.millpond.engine.dispatch.PriorityClasses;
import dev.millpond.server.doctor.Finding;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The processes of the fleet, and whether the jobs that wait have somebody to run them. */
public final class FleetCheck {
  /** A job that waits this long, in seconds, waits for something. */
  private static final int WAIT_SAID_SECONDS = 30;

  /** What waits this long although it could run shows a backlog. */
  private static final int BACKLOG_SAID_SECONDS = 300;

  /** The oldest batches that are looked at. */
  private static final int BATCHES_LOOKED_AT = 10_000;

  private static final int SHOWN = 5;

  private static final String LIVE = "NOT fenced AND beat_at > now() - lease";

  private FleetCheck() {}

  /**
   * Asks who is there, and what waits for them.
   *
   * @param classes the priority classes of this configuration
   */
  public static List<Finding> run(String pgUrl, PriorityClasses classes) {
    try (Connection connection = Question.connect(pgUrl)) {
      List<Finding> findings = new ArrayList<>();
      findings.addAll(Question.ask(connection, "fleet.leader", FleetCheck::leader));
      findings.addAll(Question.ask(connection, "fleet.workers", FleetCheck::workers));
      findings.addAll(Question.ask(connection, "fleet.kinds", FleetCheck::kinds));
      findings.addAll(Question.ask(connection, "fleet.classes", tx -> classes(tx, classes)));
      findings.addAll(Question.ask(connection, "fleet.due", FleetCheck::due));
      findings.addAll(Question.ask(connection, "fleet.dead-letters", FleetCheck::deadLetters));
      return findings;
    } catch (SQLException e) {
      return List.of(
          Finding.unreachable(
              "postgres", String.valueOf(e.getMessage()), "Check that PostgreSQL keeps running"));
    }
  }

  /** Without a leader nothing is rescued; that matters as soon as there is something to rescue. */
  private static List<Finding> leader(Connection connection) throws SQLException {
    String sql =
        """
        SELECT coalesce((SELECT bool_or(expires_at > now()) FROM millpond.leader), false),
               EXISTS (SELECT FROM millpond.worker WHERE %s)
               OR EXISTS (SELECT FROM millpond.dispatch WHERE created_at < now() - ? * interval '1 second')
               OR EXISTS (SELECT FROM millpond.job_state WHERE phase = 'running'
                          OR (phase = 'scheduled' AND run_at < now() - ? * interval '1 second'))
        """
            .formatted(LIVE);
    return Question.rows(
        connection,
        sql,
        row -> {
          if (row.getBoolean(1)) {
            return Finding.ok("fleet.leader", "there is one");
          }
          String remedy = "./millpond server --role maintenance --pg-url …";
          return row.getBoolean(2)
              ? Finding.error(
                  "fleet.leader",
                  "there is none",
                  "jobs of dead workers are not rescued, due jobs and retries do not start",
                  remedy)
              : Finding.info(
                  "fleet.leader", "there is none", "no process runs, and no job waits", remedy);
        },
        WAIT_SAID_SECONDS,
        WAIT_SAID_SECONDS);
  }

  private static List<Finding> workers(Connection connection) throws SQLException {
    String sql =
        """
        SELECT count(*) FILTER (WHERE %1$s), coalesce(sum(slots) FILTER (WHERE %1$s), 0),
               coalesce(sum(busy) FILTER (WHERE %1$s), 0),
               count(*) FILTER (WHERE NOT fenced AND beat_at < now() - 2 * lease)
        FROM millpond.worker
        """
            .formatted(LIVE);
    return Question.rows(
        connection,
        sql,
        row -> {
          String found =
              "%d alive, %d of %d slots busy"
                  .formatted(row.getLong(1), row.getLong(3), row.getLong(2));
          return row.getLong(4) == 0
              ? Finding.ok("fleet.workers", found)
              : Finding.warning(
                  "fleet.workers",
                  found + "; silent and not yet fenced: " + row.getLong(4),
                  "their jobs wait until a leader fences them",
                  "Start a process with --role maintenance, or look at its log");
        });
  }

  /** Kinds of the oldest batches that wait, with who could run them. */
  private static List<Finding> kinds(Connection connection) throws SQLException {
    String sql =
        """
        SELECT kind, sum(cardinality(job_ids)), extract(epoch FROM now() - min(created_at))::bigint,
               EXISTS (SELECT FROM millpond.worker AS w WHERE %s AND NOT draining AND d.kind = ANY (w.kinds)),
               count(*) FILTER (WHERE sent_at < now() - ? * interval '1 second')
        FROM (SELECT kind, job_ids, created_at, sent_at FROM millpond.dispatch
              WHERE claimed_by IS NULL ORDER BY id LIMIT ?) AS d
        GROUP BY kind HAVING min(created_at) < now() - ? * interval '1 second'
        ORDER BY 3 DESC LIMIT ?
        """
            .formatted(LIVE);
    List<Finding> findings =
        Question.rows(
            connection,
            sql,
            row -> {
              String found =
                  "%d jobs of the kind %s, for %d s"
                      .formatted(row.getLong(2), row.getString(1), row.getLong(3));
              if (!row.getBoolean(4)) {
                return Finding.error(
                    "fleet.kinds",
                    "no live worker knows what waits: " + found,
                    "these jobs never run",
                    "./millpond server --role worker --handlers <jar with "
                        + row.getString(1)
                        + "> --pg-url …");
              }
              if (row.getLong(3) < BACKLOG_SAID_SECONDS) {
                return Finding.ok("fleet.kinds", "wait for a slot: " + found);
              }
              return Finding.warning(
                  "fleet.kinds",
                  "wait although workers know the kind: " + found,
                  row.getLong(5) > 0
                      ? "they are in Redis: the workers there are too few, or do not see it"
                      : "there are more jobs than workers can run",
                  "./millpond server --role worker --handlers … on another machine");
            },
            BACKLOG_SAID_SECONDS,
            BATCHES_LOOKED_AT,
            WAIT_SAID_SECONDS,
            SHOWN);
    return findings.isEmpty()
        ? List.of(Finding.ok("fleet.kinds", "nothing waits for a worker"))
        : findings;
  }

  /** Jobs of classes that are not configured here: other processes may have them, or none. */
  private static List<Finding> classes(Connection connection, PriorityClasses known)
      throws SQLException {
    List<Finding> findings = new ArrayList<>();
    Question.rows(
            connection,
            "SELECT class, sum(delta) FROM millpond.queue_depth GROUP BY class HAVING sum(delta) >"
                + " 0",
            row -> Map.entry(row.getString(1), row.getLong(2)))
        .stream()
        .filter(of -> !known.weights().containsKey(of.getKey()))
        .limit(SHOWN)
        .forEach(of ->
            findings.add(
                Finding.warning(
                    "fleet.classes",
                    of.getValue()
                        + " jobs of the class "
                        + of.getKey()
                        + "; configured are "
                        + known.names(),
                    "only workers with that class run them",
                    "Set millpond.classes the same in all processes, with " + of.getKey())));
    return findings.isEmpty()
        ? List.of(Finding.ok("fleet.classes", "jobs have configured ones: " + known.names()))
        : findings;
  }

  private static List<Finding> due(Connection connection) throws SQLException {
    long overdue =
        Question.number(
            connection,
            "SELECT count(*) FROM (SELECT FROM millpond.job_state WHERE phase = 'scheduled' AND"
                + " run_at < now() - ? * interval '1 second' LIMIT ?) AS r",
            WAIT_SAID_SECONDS,
            BATCHES_LOOKED_AT);
    return List.of(
        overdue == 0
            ? Finding.ok("fleet.due", "no scheduled job is late")
            : Finding.error(
                "fleet.due",
                overdue + " scheduled jobs are more than " + WAIT_SAID_SECONDS + " s late",
                "the leader makes them runnable: there is none, or it does not keep up",
                "./millpond server --role maintenance --pg-url …"));
  }

  private static List<Finding> deadLetters(Connection connection) throws SQLException {
    long dead =
        Question.number(
            connection,
            "SELECT count(*) FROM (SELECT FROM millpond.dead_letter LIMIT ?) AS r",
            BATCHES_LOOKED_AT);
    return List.of(
        dead == 0
            ? Finding.ok("fleet.dead-letters", "none")
            : Finding.info(
                "fleet.dead-letters",
                (dead == BATCHES_LOOKED_AT ? "at least " : "") + dead,
                "they wait for somebody to mend and redrive them",
                "curl <server>/v1/dead-letters"));
  }
}
