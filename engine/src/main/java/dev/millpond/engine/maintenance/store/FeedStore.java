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
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Waiting and streamed rows of the dispatch table; see {@link DispatchStore} for how they ask for a
 * kind. The caller owns the transaction.
 */
public final class FeedStore {
  private static final String MARK_SENT =
      """
      UPDATE millpond.dispatch SET sent_at = now(), shard = ?
      WHERE id = ANY (ARRAY (
          SELECT id FROM millpond.dispatch
          WHERE queue = ? AND class = ? AND kind >= ? AND kind <= ?
            AND (shard = ? OR shard <> ALL (?::int4[]))
            AND sent_at IS NULL AND claimed_by IS NULL AND NOT direct
          ORDER BY kind, id FOR UPDATE SKIP LOCKED LIMIT ?))
      RETURNING
      """
          + DispatchStore.COLUMNS;

  private static final String MARK_WAITING =
      """
      UPDATE millpond.dispatch SET sent_at = NULL
      WHERE id = ANY (?::uuid[]) AND sent_at IS NOT NULL AND claimed_by IS NULL
      """;

  private static final String MARK_DIRECT =
      """
      UPDATE millpond.dispatch SET direct = true
      WHERE id = ANY (ARRAY (
          SELECT id FROM millpond.dispatch
          WHERE queue = ? AND class = ? AND (kind, id) > (?, ?) AND kind <= ?
            AND shard = ANY (?::int4[])
            AND sent_at IS NULL AND claimed_by IS NULL AND NOT direct
          ORDER BY kind, id FOR UPDATE SKIP LOCKED LIMIT ?))
      RETURNING id
      """;

  private static final String SENT_BEFORE =
      """
      SELECT id, queue, class, kind, shard, sent_at < now() - ? * interval '1 millisecond', sent_at
      FROM millpond.dispatch
      WHERE sent_at < now() - ? * interval '1 millisecond' AND claimed_by IS NULL
        AND sent_at >= ?::timestamptz AND (sent_at, id) > (?::timestamptz, ?)
      ORDER BY sent_at, id LIMIT ?
      """;

  /** No id is lower. */
  public static final UUID LOWEST = new UUID(0, 0);

  private FeedStore() {}

  /**
   * A streamed row.
   *
   * @param old whether it was sent long ago
   */
  public record Sent(
      UUID id, Lane lane, String kind, int shard, boolean old, OffsetDateTime sentAt) {}

  /**
   * Marks the oldest waiting rows as sent; to be put on their stream after the commit.
   *
   * @param shard whose stream they are put on: rows of it, and those of shards that take none
   * @param taking shards that take rows of this kind
   */
  public static List<Batch> markSent(
      Connection tx, Sort sort, int shard, List<Integer> taking, int limit) throws SQLException {
    List<Batch> batches = new ArrayList<>();
    try (PreparedStatement statement = tx.prepareStatement(MARK_SENT)) {
      int i = 0;
      statement.setInt(++i, shard);
      statement.setString(++i, sort.lane().queue());
      statement.setString(++i, sort.lane().priorityClass());
      statement.setString(++i, sort.kind());
      statement.setString(++i, sort.kind());
      statement.setInt(++i, shard);
      statement.setObject(++i, PgArray.ints(taking, Integer::intValue));
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

  /**
   * Undoes {@link #markSent} for rows that their server has refused: as they are on no stream, they
   * wait again, under the same tokens.
   *
   * @return how many were still there
   */
  public static int markWaiting(Connection tx, List<Batch> refused) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(MARK_WAITING)) {
      statement.setObject(1, PgArray.uuids(refused, Batch::id));
      return statement.executeUpdate();
    }
  }

  /**
   * Marks the oldest waiting rows as meant for no stream, so that any worker of their kind claims
   * them.
   *
   * @param shards of the rows
   * @param after ids up to this one are passed over
   * @return the ids, the highest one last
   */
  public static List<UUID> markDirect(
      Connection tx, Sort sort, Collection<Integer> shards, UUID after, int limit)
      throws SQLException {
    List<UUID> ids = new ArrayList<>();
    try (PreparedStatement statement = tx.prepareStatement(MARK_DIRECT)) {
      int i = 0;
      statement.setString(++i, sort.lane().queue());
      statement.setString(++i, sort.lane().priorityClass());
      statement.setString(++i, sort.kind());
      statement.setObject(++i, after);
      statement.setString(++i, sort.kind());
      statement.setObject(++i, PgArray.ints(List.copyOf(shards), Integer::intValue));
      statement.setInt(++i, limit);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          ids.add(rows.getObject(1, UUID.class));
        }
      }
    }
    ids.sort(PgArray.UUID_ORDER);
    return ids;
  }

  /**
   * Rows that were streamed at least this long ago and are still there, oldest first.
   *
   * @param old from when on a row counts as old
   * @param after the last row of the page before; null for the first page
   */
  public static List<Sent> sentBefore(
      Connection tx, Duration ago, Duration old, @Nullable Sent after, int limit)
      throws SQLException {
    List<Sent> sent = new ArrayList<>();
    try (PreparedStatement statement = tx.prepareStatement(SENT_BEFORE)) {
      OffsetDateTime from = after == null ? OffsetDateTime.MIN : after.sentAt();
      statement.setLong(1, old.toMillis());
      statement.setLong(2, ago.toMillis());
      statement.setObject(3, from);
      statement.setObject(4, from);
      statement.setObject(5, after == null ? LOWEST : after.id());
      statement.setInt(6, limit);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          sent.add(
              new Sent(
                  rows.getObject(1, UUID.class),
                  new Lane(rows.getString(2), rows.getString(3)),
                  rows.getString(4),
                  rows.getInt(5),
                  rows.getBoolean(6),
                  rows.getObject(7, OffsetDateTime.class)));
        }
      }
    }
    return sent;
  }
}
