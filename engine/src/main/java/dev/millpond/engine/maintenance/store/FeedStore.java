package dev.millpond.engine.maintenance.store;

import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.store.DispatchStore;
import dev.millpond.engine.dispatch.store.DispatchStore.Sort;
import dev.millpond.engine.lifecycle.store.PgArray;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** Waiting and streamed rows of the dispatch table. The caller owns the transaction. */
public final class FeedStore {
  private static final String MARK_SENT =
      """
      UPDATE millpond.dispatch SET sent_at = now()
      WHERE id = ANY (ARRAY (
          SELECT id FROM millpond.dispatch
          WHERE queue = ? AND class = ? AND kind = ? AND shard = ?
            AND sent_at IS NULL AND claimed_by IS NULL AND NOT direct
          ORDER BY id FOR UPDATE SKIP LOCKED LIMIT ?))
      RETURNING
      """
          + DispatchStore.COLUMNS;

  private static final String SENT_BEFORE =
      """
      SELECT id, queue, class, shard FROM millpond.dispatch
      WHERE sent_at < now() - ? * interval '1 millisecond' AND claimed_by IS NULL
      ORDER BY sent_at LIMIT ?
      """;

  private FeedStore() {}

  /** A streamed row. */
  public record Sent(UUID id, Lane lane, int shard) {}

  /** Marks the oldest waiting rows as sent; to be put on their stream after the commit. */
  public static List<Batch> markSent(Connection tx, Sort sort, int shard, int limit)
      throws SQLException {
    List<Batch> batches = new ArrayList<>();
    try (PreparedStatement statement = tx.prepareStatement(MARK_SENT)) {
      int i = 0;
      statement.setString(++i, sort.lane().queue());
      statement.setString(++i, sort.lane().priorityClass());
      statement.setString(++i, sort.kind());
      statement.setInt(++i, shard);
      statement.setInt(++i, limit);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          batches.add(DispatchStore.batch(rows));
        }
      }
    }
    batches.sort((a, b) -> PgArray.UUID_ORDER.compare(a.id(), b.id()));
    return batches;
  }

  /** Rows that were streamed at least this long ago and are still there, oldest first. */
  public static List<Sent> sentBefore(Connection tx, Duration ago, int limit) throws SQLException {
    List<Sent> sent = new ArrayList<>();
    try (PreparedStatement statement = tx.prepareStatement(SENT_BEFORE)) {
      statement.setLong(1, ago.toMillis());
      statement.setInt(2, limit);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          sent.add(
              new Sent(
                  rows.getObject(1, UUID.class),
                  new Lane(rows.getString(2), rows.getString(3)),
                  rows.getInt(4)));
        }
      }
    }
    return sent;
  }
}
