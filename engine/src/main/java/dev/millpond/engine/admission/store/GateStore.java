package dev.millpond.engine.admission.store;

import dev.millpond.engine.admission.Amount;
import dev.millpond.engine.admission.Answer;
import dev.millpond.engine.admission.Watermarks;
import dev.millpond.engine.dispatch.store.DepthStore;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * The gates of the queues. A question takes no lock and writes nothing; a change is made under the
 * lock of the gate's row, where the depth is read again. The caller owns the transaction.
 * Stateless.
 */
public final class GateStore {
  /** Its parameters are the queue's name, twice. */
  public static final String ASK =
      """
      SELECT q.depth, q.bytes, q.capacity, g.closed, g.high_watermark, g.high_bytes, g.scheduled_full
      FROM (%s) AS q LEFT JOIN millpond.queue_gate g ON g.queue = ?
      """
          .formatted(DepthStore.OF_QUEUE);

  private static final String HAVE =
      "INSERT INTO millpond.queue_gate (queue) VALUES (?) ON CONFLICT (queue) DO NOTHING";

  private static final String LOCK = "SELECT FROM millpond.queue_gate WHERE queue = ? FOR UPDATE";

  private static final String CLOSE =
      """
      UPDATE millpond.queue_gate
      SET closed = true, high_watermark = ?, high_bytes = ?, closings = closings + 1, changed_at = now()
      WHERE queue = ?
      """;

  private static final String OPEN =
      """
      UPDATE millpond.queue_gate SET closed = false, high_watermark = ?, high_bytes = ?, changed_at = now()
      WHERE queue = ?
      """;

  /** Somebody's forgotten transaction on a gate's row holds nobody up for longer. */
  private static final String LOCK_TIMEOUT = "SET LOCAL lock_timeout = 250";

  private GateStore() {}

  /** Asks about a queue. */
  public static Answer ask(Connection connection, String queue) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(ASK)) {
      return ask(statement, queue);
    }
  }

  /**
   * Asks about a queue.
   *
   * @param statement {@link #ASK}, prepared
   */
  public static Answer ask(PreparedStatement statement, String queue) throws SQLException {
    statement.setString(1, queue);
    statement.setString(2, queue);
    try (ResultSet row = statement.executeQuery()) {
      row.next();
      return new Answer(
          new Amount(row.getLong(1), row.getLong(2)),
          row.getDouble(3),
          row.getBoolean(4) ? new Amount(row.getLong(5), row.getLong(6)) : null,
          row.getBoolean(7));
    }
  }

  /**
   * Closes the gate of a queue that was seen at a high watermark, unless it is below the low ones
   * by now.
   *
   * @return how it is
   */
  public static Answer close(Connection tx, String queue, Watermarks marks) throws SQLException {
    try (PreparedStatement have = tx.prepareStatement(HAVE)) {
      have.setString(1, queue);
      have.executeUpdate();
    }
    lock(tx, queue);
    Answer now = ask(tx, queue); // in a statement after the lock, so that it sees what is committed
    if (!now.closed(marks) && !marks.clear(now.depth())) {
      set(tx, CLOSE, queue, marks);
    }
    return ask(tx, queue);
  }

  /**
   * Opens the gate of a queue that is below its low watermarks.
   *
   * @return how it is
   */
  public static Answer open(Connection tx, String queue, Watermarks marks) throws SQLException {
    lock(tx, queue);
    Answer now = ask(tx, queue);
    if (now.closed(marks) && marks.clear(now.depth())) {
      set(tx, OPEN, queue, marks);
    }
    return ask(tx, queue);
  }

  private static void lock(Connection tx, String queue) throws SQLException {
    try (Statement statement = tx.createStatement()) {
      statement.execute(LOCK_TIMEOUT);
    }
    try (PreparedStatement lock = tx.prepareStatement(LOCK)) {
      lock.setString(1, queue);
      lock.execute();
    }
  }

  private static void set(Connection tx, String sql, String queue, Watermarks marks)
      throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(sql)) {
      statement.setLong(1, marks.jobs().high());
      statement.setLong(2, marks.bytes().high());
      statement.setString(3, queue);
      statement.executeUpdate();
    }
  }
}
