package dev.millpond.engine.query.store;

import dev.millpond.api.JobState;
import dev.millpond.api.JobView;
import dev.millpond.engine.lifecycle.store.PgArray;
import dev.millpond.engine.query.JobFilter;
import dev.millpond.engine.query.JobSummary;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Scans jobs, newest first by id. There is no index for any filter: a chunk is a range of the
 * primary key of the table that has the fewest rows for what is asked, and what the other tables
 * know is looked up for that range. The caller owns the transaction. Stateless.
 */
public final class JobListStore {
  /** Bytes after which a page of whole jobs ends. */
  private static final int WHOLE_BYTES = 8 * 1024 * 1024;

  private static final Set<JobState> IN_STATE_ROWS =
      EnumSet.of(JobState.SCHEDULED, JobState.WAITING, JobState.RUNNING, JobState.DEAD);

  private JobListStore() {}

  /** The table whose primary key is walked. */
  private enum Driver {
    JOBS(
        "SELECT id FROM millpond.job WHERE id < ? AND id >= ?",
        "ORDER BY id DESC OFFSET ? LIMIT 1"),
    STATES(
        "SELECT job_id FROM millpond.job_state WHERE job_id < ? AND job_id >= ?",
        "ORDER BY job_id DESC OFFSET ? LIMIT 1"),
    /** The running ones have an index of their own: they are never more than there are slots. */
    RUNNING(
        "SELECT job_id FROM millpond.job_state"
            + " WHERE phase = 'running' AND job_id < ? AND job_id >= ?",
        "ORDER BY job_id DESC OFFSET ? LIMIT 1"),
    DEAD(
        "SELECT job_id FROM millpond.dead_letter WHERE job_id < ? AND job_id >= ?",
        "ORDER BY job_id DESC OFFSET ? LIMIT 1"),
    ERRORS(
        """
        SELECT job_id FROM (
            SELECT job_id FROM millpond.job_attempt
            UNION ALL
            SELECT job_id FROM millpond.dead_letter) AS e
        WHERE job_id < ? AND job_id >= ?
        """,
        "ORDER BY job_id DESC OFFSET ? LIMIT 1");

    private final String edge;
    private final String edgeOrder;

    Driver(String edge, String edgeOrder) {
      this.edge = edge;
      this.edgeOrder = edgeOrder;
    }
  }

  private static final String LAST_ENDED =
      """
      SELECT job_id FROM millpond.job_outcome WHERE job_id < ? AND job_id >= ?
      ORDER BY job_id DESC LIMIT 1
      """;

  private static final String JOBS =
      "SELECT j.id AS id FROM millpond.job j WHERE j.id < ? AND j.id >= ?";

  /**
   * That a job is in one of the states. Looked up row by row: a join of ranges is only as good as
   * the planner's guess of their rows, which for uuids is often one. The range says which
   * partitions can be meant.
   */
  private static final String IN_STATES =
      JobStore.state(
              """
              (SELECT o.outcome FROM millpond.job_outcome o
               WHERE o.job_id = %1$s AND o.job_id < ? AND o.job_id >= ?)\
              """,
              "(SELECT s.phase FROM millpond.job_state s WHERE s.job_id = %1$s)")
          + " = ANY (?::text[])";

  /** A job that was held back may have been cancelled already: its state row goes later. */
  private static final String STATES =
      """
      SELECT d.job_id AS id FROM millpond.job_state d
      WHERE d.job_id < ? AND d.job_id >= ? AND d.phase = ANY (?::text[])
        AND (SELECT o.outcome FROM millpond.job_outcome o
             WHERE o.job_id = d.job_id AND o.job_id < ? AND o.job_id >= ?) IS NULL
      """;

  private static final String RUNNING =
      """
      SELECT d.job_id AS id FROM millpond.job_state d
      WHERE d.job_id < ? AND d.job_id >= ? AND d.phase = 'running'
      """;

  private static final String DEAD =
      """
      SELECT d.job_id AS id FROM millpond.dead_letter d
      WHERE d.job_id < ? AND d.job_id >= ?
      """;

  /** The last error of each job; a dead letter's is after those of the attempts. */
  private static final String ERRORS =
      """
      SELECT d.job_id AS id FROM (
          SELECT DISTINCT ON (job_id) job_id, error_type, error_message FROM (
              SELECT job_id, lease_token, error_type, error_message FROM millpond.job_attempt
              WHERE job_id < ? AND job_id >= ?
              UNION ALL
              SELECT job_id, 2147483647, error_type, error_message FROM millpond.dead_letter
              WHERE job_id < ? AND job_id >= ?) AS e
          ORDER BY job_id DESC, lease_token DESC) AS d
      """;

  /**
   * Begins what is asked of the job itself; the offset at its end keeps it from becoming a join.
   */
  private static final String JOB_OF =
      """
      AND EXISTS (SELECT FROM millpond.job j
                  WHERE j.id = d.job_id AND j.id < ? AND j.id >= ?
      """;

  private static final String ORDER = "ORDER BY id DESC LIMIT ?";

  private static final Set<JobState> ENDED = EnumSet.of(JobState.SUCCEEDED, JobState.CANCELLED);

  private static final UUID LOWEST = new UUID(0, 0);
  private static final UUID HIGHEST = new UUID(-1, -1);

  /** Where the list of a filter begins: at the first id that is not in it any more. */
  public static UUID start(JobFilter filter) {
    return filter.until() == null ? HIGHEST : floor(filter.until());
  }

  /** Jobs in short. */
  public static Scan<UUID, JobSummary> summaries(JobFilter filter, @Nullable JobPath path) {
    return new Matching<>(filter, path) {
      @Override
      Chunk<UUID, JobSummary> load(Connection tx, List<UUID> ids, @Nullable UUID next)
          throws SQLException {
        return new Chunk<>(JobStore.summaries(tx, ids), next, false);
      }
    };
  }

  /** Whole jobs; a page ends early when they are large. */
  public static Scan<UUID, JobView> whole(JobFilter filter, @Nullable JobPath path) {
    return new Matching<>(filter, path) {
      @Override
      Chunk<UUID, JobView> load(Connection tx, List<UUID> ids, @Nullable UUID next)
          throws SQLException {
        List<JobView> jobs = new ArrayList<>();
        long bytes = 0;
        for (UUID id : ids) {
          JobView job = JobStore.read(tx, id).orElse(null);
          if (job == null) {
            continue;
          }
          jobs.add(job);
          bytes += weight(job);
          if (bytes > WHOLE_BYTES && !id.equals(ids.getLast())) {
            return new Chunk<>(jobs, id, true);
          }
        }
        return new Chunk<>(jobs, next, bytes > WHOLE_BYTES);
      }
    };
  }

  private static long weight(JobView job) {
    long weight = job.request().payload().length();
    weight += job.result() == null ? 0 : job.result().length();
    for (JobView.Attempt attempt : job.attempts()) {
      weight += attempt.error() == null ? 0 : attempt.error().weight();
    }
    return weight;
  }

  /** The smallest id of an instant, as {@code millpond.uuid_floor} has it, rounded up. */
  private static UUID floor(Instant at) {
    long millis = at.plusNanos(999_999).toEpochMilli();
    return millis <= 0 ? LOWEST : new UUID(millis << 16, 0);
  }

  /** Finds the ids of a chunk, for a subclass to load the jobs. */
  private abstract static class Matching<T> implements Scan<UUID, T> {
    private final JobFilter filter;
    private final @Nullable JobPath path;
    private final Driver driver;
    private final Set<JobState> states;
    private final UUID end;

    Matching(JobFilter filter, @Nullable JobPath path) {
      this.filter = filter;
      this.path = path;
      this.states =
          filter.states().isEmpty()
              ? EnumSet.allOf(JobState.class)
              : EnumSet.copyOf(filter.states());
      this.driver = driver(filter);
      if (driver == Driver.ERRORS) {
        states.remove(JobState.SUCCEEDED);
      }
      this.end = filter.since() == null ? LOWEST : floor(filter.since());
    }

    private static Driver driver(JobFilter filter) {
      Set<JobState> states = filter.states();
      if (states.equals(Set.of(JobState.DEAD))) {
        return Driver.DEAD;
      }
      if (filter.error() != null) {
        return Driver.ERRORS;
      }
      if (states.equals(Set.of(JobState.RUNNING))) {
        return Driver.RUNNING;
      }
      return !states.isEmpty() && IN_STATE_ROWS.containsAll(states) ? Driver.STATES : Driver.JOBS;
    }

    /** Loads what was found, in its order. */
    abstract Chunk<UUID, T> load(Connection tx, List<UUID> ids, @Nullable UUID next)
        throws SQLException;

    @Override
    public Chunk<UUID, T> read(Connection tx, UUID from, int rows, int want) throws SQLException {
      if (states.isEmpty()) {
        return new Chunk<>(List.of(), null, false); // only succeeded jobs, which have no error
      }
      UUID top = top(tx, from);
      if (top == null) {
        return new Chunk<>(List.of(), null, false);
      }
      UUID edge = edge(tx, top, rows);
      List<UUID> ids = new ArrayList<>();
      Sql sql = select(top, edge == null ? end : edge);
      try (PreparedStatement statement = sql.add(ORDER, want + 1).prepare(tx);
          ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          ids.add(row.getObject(1, UUID.class));
        }
      }
      if (ids.size() > want) {
        List<UUID> wanted = ids.subList(0, want);
        return load(tx, wanted, wanted.getLast());
      }
      return load(tx, ids, edge);
    }

    /**
     * Where the chunk really begins. Whoever asks for ended jobs is taken over the backlog in front
     * of them at one step; null when there are no more.
     */
    private @Nullable UUID top(Connection tx, UUID from) throws SQLException {
      if (driver != Driver.JOBS || filter.states().isEmpty() || !ENDED.containsAll(states)) {
        return from;
      }
      try (PreparedStatement statement = new Sql().add(LAST_ENDED, from, end).prepare(tx);
          ResultSet row = statement.executeQuery()) {
        return row.next() ? successor(row.getObject(1, UUID.class)) : null;
      }
    }

    private static UUID successor(UUID id) {
      long low = id.getLeastSignificantBits() + 1;
      return new UUID(id.getMostSignificantBits() + (low == 0 ? 1 : 0), low);
    }

    @Override
    public @Nullable UUID skip(Connection tx, UUID from, int rows) throws SQLException {
      UUID top = top(tx, from);
      return top == null ? null : edge(tx, top, rows);
    }

    private @Nullable UUID edge(Connection tx, UUID from, int rows) throws SQLException {
      try (PreparedStatement statement =
              new Sql().add(driver.edge, from, end).add(driver.edgeOrder, rows - 1).prepare(tx);
          ResultSet row = statement.executeQuery()) {
        return row.next() ? row.getObject(1, UUID.class) : null;
      }
    }

    private Sql select(UUID from, UUID to) {
      Sql sql = new Sql();
      switch (driver) {
        case JOBS -> {
          name(sql.add(JOBS, from, to), "j");
          if (!filter.states().isEmpty()) {
            sql.add("AND " + IN_STATES.formatted("j.id"), from, to, names());
          }
          jobConditions(sql);
        }
        case STATES -> name(sql.add(STATES, from, to, names(), from, to), "d");
        case RUNNING -> name(sql.add(RUNNING, from, to), "d");
        case DEAD -> name(sql.add(DEAD, from, to), "d");
        case ERRORS ->
            sql.add(ERRORS, from, to, from, to)
                .add("WHERE " + IN_STATES.formatted("d.job_id"), from, to, names());
      }
      if (filter.error() != null) {
        sql.add("AND " + Match.ERROR.formatted("d", "d"), filter.error(), filter.error());
      }
      if (driver != Driver.JOBS && asksTheJob()) {
        sql.add(JOB_OF, from, to);
        if (driver == Driver.ERRORS) {
          name(sql, "j");
        }
        jobConditions(sql);
        sql.add("OFFSET 0)");
      }
      return sql;
    }

    private boolean asksTheJob() {
      return filter.tag() != null
          || path != null
          || (driver == Driver.ERRORS
              && (filter.queue() != null || filter.kind() != null || !filter.within().isEmpty()));
    }

    private void name(Sql sql, String table) {
      if (filter.queue() != null) {
        sql.add("AND " + table + ".queue = ?", filter.queue());
      }
      Match.within(sql, table + ".queue", filter.within());
      if (filter.kind() != null) {
        sql.add("AND " + table + ".kind = ?", filter.kind());
      }
    }

    private void jobConditions(Sql sql) {
      if (filter.tag() != null) {
        Match.tag(sql.add("AND"), filter.tag());
      }
      if (path != null) {
        String function = path.predicate() ? "jsonb_path_match_tz" : "jsonb_path_exists_tz";
        sql.add("AND " + function + "(j.payload::jsonb, ?::jsonpath, '{}', true)", path.text());
      }
    }

    private PgArray names() {
      return PgArray.texts(List.copyOf(states), JobState::wireName);
    }

    @Override
    public @Nullable String costly() {
      return path == null ? null : "payload";
    }
  }
}
