package dev.millpond.engine.worker.store;

import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.lifecycle.store.DatabaseException;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.lifecycle.store.PgArray;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Verifies and loads claimed batches (rule R14): the dispatch row exists; then jobs, outcomes,
 * states, in this order, in one round trip. On a connection of its own; confined to one thread.
 */
public final class ClaimStore implements AutoCloseable {
  private static final int LOCK_TIMEOUT_MILLIS = 250;
  private static final int SOCKET_TIMEOUT_SECONDS = 20;

  /** After a span that was too mixed, so many loads go by id before spans are tried again. */
  private static final int LOADS_BY_ID = 64;

  /**
   * Jobs by id. A job never changes, so it may be read before its outcome; tables are locked in
   * this order.
   */
  private static final String BY_ID =
      """
      SELECT id FROM millpond.dispatch WHERE id = ANY (?::uuid[]);
      SELECT 1, id, payload, options
      FROM millpond.job WHERE id = ANY (?::uuid[]) AND id BETWEEN ? AND ?;
      SELECT 1, job_id
      FROM millpond.job_outcome WHERE job_id = ANY (?::uuid[]) AND job_id BETWEEN ? AND ?;
      SELECT 1, job_id, phase, lease_token, attempt, losses
      FROM millpond.job_state WHERE job_id = ANY (?::uuid[])
      """;

  /** The same along {@link Spans}; the first column is the number of the span. */
  private static final String BY_SPAN =
      """
      SELECT id FROM millpond.dispatch WHERE id = ANY (?::uuid[]);
      SELECT s.n, j.id, j.payload, j.options
      FROM unnest(?::uuid[], ?::uuid[], ?::int4[], ?::int4[]) AS s (low, high, most, n)
      CROSS JOIN LATERAL (
          SELECT id, payload, options FROM millpond.job
          WHERE id BETWEEN s.low AND s.high LIMIT s.most) j;
      SELECT s.n, o.job_id
      FROM unnest(?::uuid[], ?::uuid[], ?::int4[], ?::int4[]) AS s (low, high, most, n)
      CROSS JOIN LATERAL (
          SELECT job_id FROM millpond.job_outcome
          WHERE job_id BETWEEN s.low AND s.high LIMIT s.most) o;
      SELECT s.n, t.job_id, t.phase, t.lease_token, t.attempt, t.losses
      FROM unnest(?::uuid[], ?::uuid[], ?::int4[], ?::int4[]) AS s (low, high, most, n)
      CROSS JOIN LATERAL (
          SELECT job_id, phase, lease_token, attempt, losses FROM millpond.job_state
          WHERE job_id BETWEEN s.low AND s.high LIMIT s.most) t
      """;

  private final String url;
  private @Nullable Connection connection;
  private final Map<String, PreparedStatement> statements = new HashMap<>();
  private int loadsById;

  public ClaimStore(String url) {
    this.url = url;
  }

  /**
   * A job to run.
   *
   * @param losses how often it was lost with its process since the last end of an attempt
   */
  public record LoadedJob(
      UUID id,
      int token,
      int attempt,
      boolean hasState,
      String payload,
      @Nullable String options,
      int losses) {

    /** One that was never lost. */
    public LoadedJob(
        UUID id,
        int token,
        int attempt,
        boolean hasState,
        String payload,
        @Nullable String options) {
      this(id, token, attempt, hasState, payload, options, 0);
    }
  }

  /**
   * What is left of a batch.
   *
   * @param exists whether its row is there; otherwise the entry is a left-over
   * @param jobs those to run: not ended, at the batch's token
   */
  public record Loaded(boolean exists, List<LoadedJob> jobs) {}

  private record State(String phase, int token, int attempt, int losses) {}

  private record Content(String payload, @Nullable String options) {}

  /** What was read of a claim's jobs; of other jobs as well, where it was read along spans. */
  private record Found(
      Set<UUID> rows, Map<UUID, Content> contents, Set<UUID> ended, Map<UUID, State> states) {
    static Found ofJobs(int count) {
      return new Found(
          new HashSet<>(), HashMap.newHashMap(count), new HashSet<>(), new HashMap<>());
    }
  }

  /** Loads batches; the answer has one element for each. */
  public List<Loaded> load(List<Batch> batches) {
    Found found;
    try {
      found = find(batches);
    } catch (SQLException e) {
      if (Pg.fault(e) == Pg.Fault.CONNECTION) {
        close();
      }
      throw new DatabaseException(e);
    }
    List<Loaded> loaded = new ArrayList<>(batches.size());
    for (Batch batch : batches) {
      loaded.add(
          found.rows().contains(batch.id())
              ? new Loaded(true, jobs(batch, found))
              : new Loaded(false, List.of()));
    }
    return loaded;
  }

  /**
   * Asks whether batches could be loaded.
   *
   * @throws DatabaseException when the database does not answer
   */
  public void check() {
    try {
      prepare("SELECT").execute();
    } catch (SQLException e) {
      close();
      throw new DatabaseException(e);
    }
  }

  private Found find(List<Batch> batches) throws SQLException {
    Spans spans = loadsById > 0 ? null : Spans.of(batches);
    if (spans != null) {
      Found found = bySpan(batches, spans);
      if (found != null) {
        return found;
      }
      loadsById = LOADS_BY_ID;
    }
    loadsById = Math.max(0, loadsById - 1);
    return byId(batches);
  }

  private static List<LoadedJob> jobs(Batch batch, Found found) {
    List<LoadedJob> jobs = new ArrayList<>(batch.size());
    for (int i = 0; i < batch.size(); i++) {
      UUID id = batch.jobIds()[i];
      Content content = found.contents().get(id);
      if (found.ended().contains(id) || content == null) {
        continue;
      }
      int token = batch.token(i);
      State state = found.states().get(id);
      if (state == null) {
        if (token == 1) {
          jobs.add(new LoadedJob(id, 1, 1, false, content.payload(), content.options()));
        }
      } else if (state.token() == token && state.phase().equals("runnable")) {
        jobs.add(
            new LoadedJob(
                id,
                token,
                state.attempt(),
                true,
                content.payload(),
                content.options(),
                state.losses()));
      }
    }
    return jobs;
  }

  private Found byId(List<Batch> batches) throws SQLException {
    List<UUID> ids = new ArrayList<>();
    for (Batch batch : batches) {
      ids.addAll(List.of(batch.jobIds()));
    }
    ids.sort(PgArray.UUID_ORDER);
    PreparedStatement load = prepare(BY_ID);
    PgArray jobIds = PgArray.uuids(ids.toArray(UUID[]::new));
    int i = 0;
    load.setObject(++i, PgArray.uuids(batches, Batch::id));
    for (int table = 0; table < 2; table++) {
      load.setObject(++i, jobIds);
      load.setObject(++i, ids.getFirst());
      load.setObject(++i, ids.getLast());
    }
    load.setObject(++i, jobIds);
    Found found = Found.ofJobs(ids.size());
    read(load, found, new int[3][1]);
    return found;
  }

  /** Null when a span holds so many rows that some may be missing. */
  private @Nullable Found bySpan(List<Batch> batches, Spans spans) throws SQLException {
    PreparedStatement load = prepare(BY_SPAN);
    PgArray low = PgArray.uuids(spans.low());
    PgArray high = PgArray.uuids(spans.high());
    PgArray most = PgArray.ints(spans.size(), n -> spans.most()[n]);
    PgArray number = PgArray.ints(spans.size(), n -> n + 1);
    int i = 0;
    load.setObject(++i, PgArray.uuids(batches, Batch::id));
    for (int table = 0; table < 3; table++) {
      load.setObject(++i, low);
      load.setObject(++i, high);
      load.setObject(++i, most);
      load.setObject(++i, number);
    }
    Found found = Found.ofJobs(batches.size() * batches.getFirst().size());
    int[][] counts = new int[3][spans.size()];
    read(load, found, counts);
    for (int[] ofTable : counts) {
      for (int n = 0; n < ofTable.length; n++) {
        if (ofTable[n] >= spans.most()[n]) {
          return null;
        }
      }
    }
    return found;
  }

  /**
   * Reads the four results.
   *
   * @param counts for jobs, outcomes and states: counts the rows of each span
   */
  private static void read(PreparedStatement load, Found found, int[][] counts)
      throws SQLException {
    load.execute();
    try (ResultSet result = load.getResultSet()) {
      while (result.next()) {
        found.rows().add(result.getObject(1, UUID.class));
      }
    }
    load.getMoreResults();
    try (ResultSet result = load.getResultSet()) {
      while (result.next()) {
        counts[0][result.getInt(1) - 1]++;
        found
            .contents()
            .put(
                result.getObject(2, UUID.class),
                new Content(result.getString(3), result.getString(4)));
      }
    }
    load.getMoreResults();
    try (ResultSet result = load.getResultSet()) {
      while (result.next()) {
        counts[1][result.getInt(1) - 1]++;
        found.ended().add(result.getObject(2, UUID.class));
      }
    }
    load.getMoreResults();
    try (ResultSet result = load.getResultSet()) {
      while (result.next()) {
        counts[2][result.getInt(1) - 1]++;
        found
            .states()
            .put(
                result.getObject(2, UUID.class),
                new State(
                    result.getString(3), result.getInt(4), result.getInt(5), result.getInt(6)));
      }
    }
  }

  private PreparedStatement prepare(String sql) throws SQLException {
    Connection open = connection;
    if (open == null) {
      open = Pg.hot(url, "millpond-load", LOCK_TIMEOUT_MILLIS, SOCKET_TIMEOUT_SECONDS);
      connection = open;
    }
    PreparedStatement ready = statements.get(sql);
    if (ready == null) {
      ready = open.prepareStatement(sql);
      statements.put(sql, ready);
    }
    return ready;
  }

  @Override
  public void close() {
    Connection open = connection;
    connection = null;
    statements.clear();
    if (open != null) {
      try {
        open.close();
      } catch (SQLException e) {
        return; // it is gone either way
      }
    }
  }
}
