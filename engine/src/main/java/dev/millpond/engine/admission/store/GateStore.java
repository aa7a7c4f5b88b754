package dev.millpond.engine.admission.store;

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
  /** Its parameters are the queue's name, three times. */
  public static final String ASK =
      """
      SELECT q.depth, q.rate,
             coalesce((SELECT high_watermark FROM millpond.queue_gate
                       WHERE queue = ? AND closed), 0),
             coalesce((SELECT scheduled_full FROM millpond.queue_gate WHERE queue = ?), false)
      FROM (%s) AS q
      """
          .formatted(DepthStore.OF_QUEUE);

  private static final String HAVE =
      "INSERT INTO millpond.queue_gate (queue) VALUES (?) ON CONFLICT (queue) DO NOTHING";

  private static final String LOCK = "SELECT FROM millpond.queue_gate WHERE queue = ? FOR UPDATE";

  private static final String CLOSE =
      """
      UPDATE millpond.queue_gate
      SET closed = true, high_watermark = ?, closings = closings + 1, changed_at = now()
      WHERE queue = ?
      """;

  private static final String OPEN =
      """
      UPDATE millpond.queue_gate SET closed = false, high_watermark = ?, changed_at = now()
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
    statement.setString(3, queue);
    try (ResultSet row = statement.executeQuery()) {
      row.next();
      return new Answer(row.getLong(1), row.getDouble(2), row.getLong(3), row.getBoolean(4));
    }
  }

  /**
   * Closes the gate of a queue that was seen at its high watermark, unless it is below the low one
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
    if (!now.closed(marks) && now.depth() >= marks.low()) {
      set(tx, CLOSE, queue, marks);
    }
    return ask(tx, queue);
  }

  /**
   * Opens the gate of a queue that is below its low watermark.
   *
   * @return how it is
   */
  public static Answer open(Connection tx, String queue, Watermarks marks) throws SQLException {
    lock(tx, queue);
    Answer now = ask(tx, queue);
    if (now.closed(marks) && now.depth() < marks.low()) {
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
      statement.setLong(1, marks.high());
      statement.setString(2, queue);
      statement.executeUpdate();
    }
  }
}
