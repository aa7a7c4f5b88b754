package dev.millpond.engine.flow.store;

import static java.util.Objects.requireNonNull;

import dev.millpond.engine.audit.store.AuditStore;
import dev.millpond.engine.flow.Pause;
import dev.millpond.engine.flow.Pause.Scope;
import dev.millpond.engine.flow.Pauses;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What is paused. The caller owns the transaction, and has grown the version. Stateless. */
public final class PauseStore {
  private static final String READ =
      "SELECT scope, name, reason, paused_by, paused_at FROM millpond.pause";

  /** Who pauses what is paused already gives it another reason. */
  private static final String PAUSE =
      """
      INSERT INTO millpond.pause (scope, name, reason, paused_by) VALUES (?, ?, ?, ?)
      ON CONFLICT (scope, name) DO UPDATE
          SET reason = excluded.reason, paused_by = excluded.paused_by,
              paused_at = excluded.paused_at
      """;

  private static final String RESUME = "DELETE FROM millpond.pause WHERE scope = ? AND name = ?";

  private static final String FACTS =
      """
      SELECT jsonb_strip_nulls(jsonb_build_object(
          'reason', reason, 'by', paused_by, 'pausedAt', paused_at))
      FROM millpond.pause WHERE scope = ? AND name = ?
      """;

  private PauseStore() {}

  /** The pause, for the audit; null when there is none. */
  public static @Nullable String facts(Connection tx, Scope scope, String name)
      throws SQLException {
    return AuditStore.json(tx, FACTS, scope.word(), name);
  }

  static Pauses read(Connection tx) throws SQLException {
    List<Pause> pauses = new ArrayList<>();
    try (Statement statement = tx.createStatement();
        ResultSet rows = statement.executeQuery(READ)) {
      while (rows.next()) {
        pauses.add(
            new Pause(
                Scope.of(rows.getString(1)),
                rows.getString(2),
                rows.getString(3),
                rows.getString(4),
                requireNonNull(rows.getObject(5, OffsetDateTime.class)).toInstant()));
      }
    }
    return pauses.isEmpty() ? Pauses.NONE : new Pauses(pauses);
  }

  /** How many there are. */
  public static int count(Connection tx) throws SQLException {
    try (Statement statement = tx.createStatement();
        ResultSet row = statement.executeQuery("SELECT count(*) FROM millpond.pause")) {
      row.next();
      return row.getInt(1);
    }
  }

  public static void pause(
      Connection tx, Scope scope, String name, @Nullable String reason, @Nullable String by)
      throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(PAUSE)) {
      statement.setString(1, scope.word());
      statement.setString(2, name);
      statement.setString(3, reason);
      statement.setString(4, by);
      statement.executeUpdate();
    }
  }

  /** Whether it was paused. */
  public static boolean resume(Connection tx, Scope scope, String name) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(RESUME)) {
      statement.setString(1, scope.word());
      statement.setString(2, name);
      return statement.executeUpdate() == 1;
    }
  }
}
