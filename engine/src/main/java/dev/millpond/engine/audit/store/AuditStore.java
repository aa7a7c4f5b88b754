package dev.millpond.engine.audit.store;

import dev.millpond.engine.audit.Actor;
import dev.millpond.engine.audit.AuditEntry;
import dev.millpond.engine.audit.AuditFilter;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** The rows of the audit. The caller owns the transaction, which is the change's. Stateless. */
public final class AuditStore {
  private static final String WRITE =
      """
      INSERT INTO millpond.audit (principal, key, address, action, target, before, after)
      VALUES (?, ?, ?, ?, ?, ?::jsonb, ?::jsonb)
      """;

  /** Where a look ends; 0 when it reaches the end. */
  private static final String EDGE =
      """
      SELECT coalesce((SELECT id FROM millpond.audit WHERE id < ? ORDER BY id DESC OFFSET ? LIMIT 1),
                      0)
      """;

  private static final String LIST =
      """
      SELECT id, at, principal, key, address, action, target, before::text, after::text
      FROM millpond.audit
      WHERE id < ? AND id >= ?
        AND (?::text IS NULL OR principal = ?) AND (?::text IS NULL OR key = ?)
        AND (?::text IS NULL OR action = ? OR starts_with(action, ? || '.'))
        AND (?::text IS NULL OR target = ?)
        AND (?::timestamptz IS NULL OR at >= ?) AND (?::timestamptz IS NULL OR at < ?)
      ORDER BY id DESC LIMIT ?
      """;

  private static final String TRIM =
      """
      DELETE FROM millpond.audit WHERE id = ANY (ARRAY (
          SELECT id FROM millpond.audit WHERE at < now() - ? * interval '1 second'
          ORDER BY at LIMIT ?))
      """;

  private AuditStore() {}

  /** A change within a transaction. */
  @FunctionalInterface
  public interface Work<T extends @Nullable Object> {
    T run() throws SQLException;
  }

  /** Reads what a change is about, as JSON; null when there is nothing. */
  @FunctionalInterface
  public interface Facts {
    @Nullable String read() throws SQLException;
  }

  /**
   * Makes a change and writes it down if it was one: without an actor, or with the same facts
   * before and after it, nothing is written.
   */
  public static <T extends @Nullable Object> T around(
      Connection tx, String action, String target, Facts facts, Work<T> change)
      throws SQLException {
    return around(tx, action, target, facts, change, result -> true);
  }

  /**
   * As the other one, and only if the result says that it was made: what others did meanwhile is
   * seen in the facts as well.
   */
  public static <T extends @Nullable Object> T around(
      Connection tx, String action, String target, Facts facts, Work<T> change, Predicate<T> made)
      throws SQLException {
    if (Actor.current() == null) {
      return change.run();
    }
    String before = facts.read();
    T result = change.run();
    if (made.test(result)) {
      String after = facts.read();
      if (!Objects.equals(before, after)) {
        write(tx, action, target, before, after);
      }
    }
    return result;
  }

  /** Writes an entry; nothing without an actor. */
  public static void write(
      Connection tx, String action, String target, @Nullable String before, @Nullable String after)
      throws SQLException {
    Actor actor = Actor.current();
    if (actor == null) {
      return;
    }
    try (PreparedStatement statement = tx.prepareStatement(WRITE)) {
      statement.setString(1, actor.principal());
      statement.setString(2, actor.key());
      statement.setString(3, actor.address());
      statement.setString(4, action);
      statement.setString(5, target);
      statement.setString(6, before);
      statement.setString(7, after);
      statement.executeUpdate();
    }
  }

  /**
   * A row as JSON; null when there is none. For the facts of {@link #around}.
   *
   * @param sql gives one column of JSON
   * @param arguments texts; null for SQL's
   */
  public static @Nullable String json(Connection tx, String sql, @Nullable String... arguments)
      throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(sql)) {
      for (int i = 0; i < arguments.length; i++) {
        statement.setString(i + 1, arguments[i]);
      }
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? row.getString(1) : null;
      }
    }
  }

  /** The id that is so many rows before another one; 0 beyond the end. */
  public static long edge(Connection tx, long before, int rows) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(EDGE)) {
      statement.setLong(1, before);
      statement.setInt(2, rows - 1);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getLong(1);
      }
    }
  }

  /** Entries between two ids, newest first. */
  public static List<AuditEntry> list(
      Connection tx, AuditFilter filter, long before, long from, int limit) throws SQLException {
    List<AuditEntry> entries = new ArrayList<>();
    try (PreparedStatement statement = tx.prepareStatement(LIST)) {
      int i = 0;
      statement.setLong(++i, before);
      statement.setLong(++i, from);
      for (String text : new @Nullable String[] {filter.principal(), filter.key()}) {
        statement.setString(++i, text);
        statement.setString(++i, text);
      }
      for (int each = 0; each < 3; each++) {
        statement.setString(++i, filter.action());
      }
      statement.setString(++i, filter.target());
      statement.setString(++i, filter.target());
      OffsetDateTime since =
          filter.since() == null ? null : filter.since().atOffset(ZoneOffset.UTC);
      OffsetDateTime until =
          filter.until() == null ? null : filter.until().atOffset(ZoneOffset.UTC);
      for (OffsetDateTime at : new @Nullable OffsetDateTime[] {since, since, until, until}) {
        statement.setObject(++i, at, Types.TIMESTAMP_WITH_TIMEZONE);
      }
      statement.setInt(++i, limit);
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          entries.add(
              new AuditEntry(
                  row.getLong(1),
                  row.getObject(2, OffsetDateTime.class).toInstant(),
                  row.getString(3),
                  row.getString(4),
                  row.getString(5),
                  row.getString(6),
                  row.getString(7),
                  row.getString(8),
                  row.getString(9)));
        }
      }
    }
    return entries;
  }

  /** Removes entries that are older; how many. */
  public static int trim(Connection tx, Duration kept, int limit) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(TRIM)) {
      statement.setLong(1, kept.toSeconds());
      statement.setInt(2, limit);
      return statement.executeUpdate();
    }
  }
}
