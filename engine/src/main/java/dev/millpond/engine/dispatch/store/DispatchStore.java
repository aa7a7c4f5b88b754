package dev.millpond.engine.dispatch.store;

import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.lifecycle.store.PgArray;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * Inserts and deletes dispatch rows. The caller owns the transaction. Stateless.
 *
 * <p>Who reads the first rows of a kind asks for kinds from this one up to this one, in the order
 * of kind and id. Asked for an equal kind in the order of the ids, the planner takes the primary
 * key where it believes that most rows are of that kind, and walks past the whole backlog of
 * others. A mark to start from is compared together with the kind. The bound on the kind alone ends
 * the walk: of one on a whole row, PostgreSQL before 18 only uses the first column for that.
 */
public final class DispatchStore {
  private static final String INSERT =
      """
      INSERT INTO millpond.dispatch (id, queue, class, kind, shard, direct, job_ids, tokens)
      SELECT u.id, u.queue, u.class, u.kind, u.shard, ?, (?::uuid[])[u.low:u.high],
             nullif((?::int4[])[u.low:u.high], array_fill(1, ARRAY[u.high - u.low + 1]))
      FROM unnest(?::uuid[], ?::text[], ?::text[], ?::text[], ?::int4[], ?::int4[], ?::int4[])
           AS u (id, queue, class, kind, shard, low, high)
      """;

  /** The columns that {@link #batch} reads, in its order. */
  public static final String COLUMNS = "id, queue, class, kind, shard, job_ids, tokens";

  private static final String CONSUME =
      "DELETE FROM millpond.dispatch WHERE id = ANY (?::uuid[]) RETURNING " + COLUMNS;

  /** Skips along the index from one queue, class and kind to the next: no scan of the backlog. */
  private static final String SORTS =
      """
      WITH RECURSIVE t AS (
          (SELECT queue, class, kind FROM millpond.dispatch ORDER BY queue, class, kind LIMIT 1)
          UNION ALL
          SELECT n.queue, n.class, n.kind
          FROM t CROSS JOIN LATERAL (
              SELECT d.queue, d.class, d.kind FROM millpond.dispatch d
              WHERE (d.queue, d.class, d.kind) > (t.queue, t.class, t.kind)
              ORDER BY d.queue, d.class, d.kind LIMIT 1) n)
      SELECT queue, class, kind FROM t
      """;

  private DispatchStore() {}

  /** A queue, class and kind that has dispatch rows. */
  public record Sort(Lane lane, String kind) {}

  /** All queues, classes and kinds that have dispatch rows. */
  public static List<Sort> sorts(Connection tx) throws SQLException {
    List<Sort> sorts = new ArrayList<>();
    try (Statement statement = tx.createStatement();
        ResultSet rows = statement.executeQuery(SORTS)) {
      while (rows.next()) {
        sorts.add(new Sort(new Lane(rows.getString(1), rows.getString(2)), rows.getString(3)));
      }
    }
    return sorts;
  }

  /**
   * Inserts waiting rows.
   *
   * @param direct whether they are to be claimed from the table, not fed to a stream
   */
  public static void insert(Connection tx, List<Batch> batches, boolean direct)
      throws SQLException {
    if (batches.isEmpty()) {
      return;
    }
    int count = batches.size();
    int[] low = new int[count];
    int[] high = new int[count];
    List<UUID> ids = new ArrayList<>();
    List<Integer> tokens = new ArrayList<>();
    for (int b = 0; b < count; b++) {
      Batch batch = batches.get(b);
      low[b] = ids.size() + 1;
      for (int j = 0; j < batch.size(); j++) {
        ids.add(batch.jobIds()[j]);
        tokens.add(batch.token(j));
      }
      high[b] = ids.size();
    }
    try (PreparedStatement statement = tx.prepareStatement(INSERT)) {
      int i = 0;
      statement.setBoolean(++i, direct);
      statement.setObject(++i, PgArray.uuids(ids.toArray(UUID[]::new)));
      statement.setObject(++i, PgArray.ints(tokens, Integer::intValue));
      statement.setObject(++i, PgArray.uuids(batches, Batch::id));
      statement.setObject(++i, PgArray.texts(batches, b -> b.lane().queue()));
      statement.setObject(++i, PgArray.texts(batches, b -> b.lane().priorityClass()));
      statement.setObject(++i, PgArray.texts(batches, Batch::kind));
      statement.setObject(++i, PgArray.ints(batches, Batch::shard));
      statement.setObject(++i, PgArray.ints(count, b -> low[b]));
      statement.setObject(++i, PgArray.ints(count, b -> high[b]));
      statement.executeUpdate();
    }
  }

  /** Deletes rows and gives those that were still there: the gate of whoever re-dispatches. */
  public static List<Batch> consume(Connection tx, List<UUID> ids) throws SQLException {
    List<Batch> consumed = new ArrayList<>(ids.size());
    if (ids.isEmpty()) {
      return consumed;
    }
    try (PreparedStatement statement = tx.prepareStatement(CONSUME)) {
      statement.setObject(1, PgArray.uuids(ids.toArray(UUID[]::new)));
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          consumed.add(batch(rows));
        }
      }
    }
    return consumed;
  }

  /** Reads {@link #COLUMNS} from the first column on. */
  public static Batch batch(ResultSet row) throws SQLException {
    return new Batch(
        row.getObject(1, UUID.class),
        new Lane(row.getString(2), row.getString(3)),
        row.getString(4),
        row.getInt(5),
        Pg.uuids(row, 6),
        Pg.ints(row, 7));
  }
}
