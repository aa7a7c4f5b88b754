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

  /** A job never changes, so it may be read before its outcome; tables are locked in this order. */
  private static final String LOAD =
      """
      SELECT id FROM millpond.dispatch WHERE id = ANY (?::uuid[]);
      SELECT id, payload, options FROM millpond.job WHERE id = ANY (?::uuid[]) AND id BETWEEN ? AND ?;
      SELECT job_id FROM millpond.job_outcome WHERE job_id = ANY (?::uuid[]) AND job_id BETWEEN ? AND ?;
      SELECT job_id, phase, lease_token, attempt
      FROM millpond.job_state WHERE job_id = ANY (?::uuid[])
      """;

  private final String url;
  private @Nullable Connection connection;
  private @Nullable PreparedStatement statement;

  public ClaimStore(String url) {
    this.url = url;
  }

  /** A job to run. */
  public record LoadedJob(
      UUID id,
      int token,
      int attempt,
      boolean hasState,
      String payload,
      @Nullable String options) {}

  /**
   * What is left of a batch.
   *
   * @param exists whether its row is there; otherwise the entry is a left-over
   * @param jobs those to run: not ended, at the batch's token
   */
  public record Loaded(boolean exists, List<LoadedJob> jobs) {}

  private record State(String phase, int token, int attempt) {}

  private record Content(String payload, @Nullable String options) {}

  /** Loads batches; the answer has one element for each. */
  public List<Loaded> load(List<Batch> batches) {
    List<UUID> ids = new ArrayList<>();
    for (Batch batch : batches) {
      ids.addAll(List.of(batch.jobIds()));
    }
    ids.sort(PgArray.UUID_ORDER);
    Set<UUID> rows = new HashSet<>();
    Set<UUID> ended = new HashSet<>();
    Map<UUID, State> states = new HashMap<>();
    Map<UUID, Content> contents = HashMap.newHashMap(ids.size());
    try {
      read(batches, ids, rows, ended, states, contents);
    } catch (SQLException e) {
      if (Pg.fault(e) == Pg.Fault.CONNECTION) {
        close();
      }
      throw new DatabaseException(e);
    }
    List<Loaded> loaded = new ArrayList<>(batches.size());
    for (Batch batch : batches) {
      loaded.add(
          rows.contains(batch.id())
              ? new Loaded(true, jobs(batch, ended, states, contents))
              : new Loaded(false, List.of()));
    }
    return loaded;
  }

  private static List<LoadedJob> jobs(
      Batch batch, Set<UUID> ended, Map<UUID, State> states, Map<UUID, Content> contents) {
    List<LoadedJob> jobs = new ArrayList<>(batch.size());
    for (int i = 0; i < batch.size(); i++) {
      UUID id = batch.jobIds()[i];
      Content content = contents.get(id);
      if (ended.contains(id) || content == null) {
        continue;
      }
      int token = batch.token(i);
      State state = states.get(id);
      if (state == null) {
        if (token == 1) {
          jobs.add(new LoadedJob(id, 1, 1, false, content.payload(), content.options()));
        }
      } else if (state.token() == token && state.phase().equals("runnable")) {
        jobs.add(
            new LoadedJob(id, token, state.attempt(), true, content.payload(), content.options()));
      }
    }
    return jobs;
  }

  private void read(
      List<Batch> batches,
      List<UUID> ids,
      Set<UUID> rows,
      Set<UUID> ended,
      Map<UUID, State> states,
      Map<UUID, Content> contents)
      throws SQLException {
    PreparedStatement load = prepare();
    PgArray jobIds = PgArray.uuids(ids.toArray(UUID[]::new));
    int i = 0;
    load.setObject(++i, PgArray.uuids(batches, Batch::id));
    load.setObject(++i, jobIds);
    load.setObject(++i, ids.getFirst());
    load.setObject(++i, ids.getLast());
    load.setObject(++i, jobIds);
    load.setObject(++i, ids.getFirst());
    load.setObject(++i, ids.getLast());
    load.setObject(++i, jobIds);
    load.execute();
    readIds(load, rows);
    load.getMoreResults();
    try (ResultSet result = load.getResultSet()) {
      while (result.next()) {
        contents.put(
            result.getObject(1, UUID.class), new Content(result.getString(2), result.getString(3)));
      }
    }
    load.getMoreResults();
    readIds(load, ended);
    load.getMoreResults();
    try (ResultSet result = load.getResultSet()) {
      while (result.next()) {
        states.put(
            result.getObject(1, UUID.class),
            new State(result.getString(2), result.getInt(3), result.getInt(4)));
      }
    }
  }

  private static void readIds(PreparedStatement load, Set<UUID> into) throws SQLException {
    try (ResultSet result = load.getResultSet()) {
      while (result.next()) {
        into.add(result.getObject(1, UUID.class));
      }
    }
  }

  private PreparedStatement prepare() throws SQLException {
    PreparedStatement ready = statement;
    if (ready == null) {
      Connection open = Pg.hot(url, "millpond-load", LOCK_TIMEOUT_MILLIS, SOCKET_TIMEOUT_SECONDS);
      connection = open;
      ready = open.prepareStatement(LOAD);
      statement = ready;
    }
    return ready;
  }

  @Override
  public void close() {
    Connection open = connection;
    connection = null;
    statement = null;
    if (open != null) {
      try {
        open.close();
      } catch (SQLException e) {
        return; // it is gone either way
      }
    }
  }
}
