package dev.millpond.engine.flush.store;

import dev.millpond.engine.lifecycle.store.Pg;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.OffsetDateTime;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connection of one lane, reopened or replaced when it is lost. After a lost reply the old
 * backend is ended before anything is sent again, so that its commit either has happened or never
 * will (rule R15).
 *
 * <p>Confined to its lane's thread.
 */
public final class WriterConnection implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(WriterConnection.class);

  /** One frozen stranger must not stop a writer for longer than this (rule R16). */
  private static final int LOCK_TIMEOUT_MILLIS = 250;

  private static final int SOCKET_TIMEOUT_SECONDS = 20;

  /** A connection in reserve is looked at while nothing else is asked of it. */
  private static final int ANSWERS_WITHIN_SECONDS = 1;

  /** The first statement of each flush. */
  static final String MARKER = "INSERT INTO millpond.flush_marker (writer, seq) VALUES (?, ?)";

  private final String url;
  private final String name;
  private final UUID writer = UUID.randomUUID();
  private final Map<String, PreparedStatement> statements = new HashMap<>();
  private final @Nullable SpareConnection spare;
  private @Nullable Open current;
  private @Nullable Backend last;
  private long seq;

  private record Backend(int pid, OffsetDateTime startedAt) {}

  /** An open connection, and who serves it. */
  record Open(Connection connection, Backend backend) {
    /** Whether it is answered soon. */
    boolean answers() {
      try {
        return connection.isValid(ANSWERS_WITHIN_SECONDS);
      } catch (SQLException e) {
        return false;
      }
    }

    void close() {
      try {
        connection.close();
      } catch (SQLException e) {
        log.debug("closing a connection: {}", e.getMessage());
      }
    }
  }

  /**
   * @param name of the lane, shown in {@code pg_stat_activity}
   */
  public WriterConnection(String url, String name) {
    this(url, name, false);
  }

  private WriterConnection(String url, String name, boolean spared) {
    this.url = url;
    this.name = name;
    this.spare = spared ? new SpareConnection(name, this::open) : null;
  }

  /**
   * One that has another in reserve for a while once it was lost.
   *
   * @param name of the lane, shown in {@code pg_stat_activity}
   */
  public static WriterConnection spared(String url, String name) {
    return new WriterConnection(url, name, true);
  }

  UUID writer() {
    return writer;
  }

  /** Number of the flush being made; it stays until {@link #next()}. */
  public long seq() {
    return seq;
  }

  /** The flush is decided; the one to come has the next number. */
  public void next() {
    seq++;
  }

  /**
   * The open connection.
   *
   * @throws SQLException when it had to be opened and could not
   */
  Connection get() throws SQLException {
    Open open = current;
    if (open == null) {
      open = replacement();
      last = open.backend();
      current = open;
    }
    return open.connection();
  }

  /** Opens it, if it is not open; {@link #get()} meets what is in the way. */
  void openEarly() {
    try {
      get();
    } catch (SQLException e) {
      log.debug("{}: not connected before the first flush: {}", name, e.getMessage());
    }
  }

  /** Another connection, when the last one's backend has ended. */
  private Open replacement() throws SQLException {
    Open taken = spare == null ? null : spare.take();
    if (taken != null) {
      try {
        endLast(taken);
        return taken;
      } catch (SQLException e) {
        log.debug("{}: the spare connection is lost too: {}", name, e.getMessage());
        taken.close();
      }
    }
    Open fresh = open();
    try {
      endLast(fresh);
      return fresh;
    } catch (SQLException e) {
      fresh.close();
      throw e;
    }
  }

  private Open open() throws SQLException {
    Connection open = Pg.hot(url, name, LOCK_TIMEOUT_MILLIS, SOCKET_TIMEOUT_SECONDS);
    try {
      return new Open(open, identify(open));
    } catch (SQLException e) {
      open.close();
      throw e;
    }
  }

  private void endLast(Open by) throws SQLException {
    if (last != null) {
      endBackend(by.connection(), last);
    }
  }

  PreparedStatement prepare(String sql) throws SQLException {
    Connection open = get();
    PreparedStatement statement = statements.get(sql);
    if (statement == null) {
      statement = open.prepareStatement(sql);
      statements.put(sql, statement);
    }
    return statement;
  }

  /**
   * Whether the flush being made has been committed by one of its sendings. Decided by its marker,
   * as by a further sending, which is rolled back: earlier ones were ended with their backends.
   */
  boolean marked() throws SQLException {
    Connection tx = get();
    boolean auto = tx.getAutoCommit();
    tx.setAutoCommit(false);
    try (PreparedStatement marker = tx.prepareStatement(MARKER)) {
      marker.setObject(1, writer);
      marker.setLong(2, seq);
      marker.executeUpdate();
      return false;
    } catch (SQLException e) {
      if (GroupCommit.violatesMarker(e)) {
        return true;
      }
      throw e;
    } finally {
      tx.rollback();
      tx.setAutoCommit(auto);
    }
  }

  /** Gives the connection up; {@link #get()} opens another and ends this one's backend first. */
  public void lost(SQLException cause) {
    Open open = current;
    current = null;
    statements.clear();
    if (open == null) {
      return;
    }
    if (spare != null) {
      spare.wanted();
    }
    log.warn("{}: connection to PostgreSQL lost: {}", name, cause.getMessage());
    try {
      open.connection().abort(Runnable::run);
    } catch (SQLException e) {
      cause.addSuppressed(e);
    }
  }

  /**
   * Who serves the connection; with it long texts are to be compressed by lz4, where the server was
   * built with it: its default, pglz, takes five times as long.
   */
  private static Backend identify(Connection open) throws SQLException {
    String sql =
        """
        SELECT pid, backend_start,
               (SELECT set_config(name, 'lz4', false) FROM pg_settings
                WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals))
        FROM pg_stat_activity WHERE pid = pg_backend_pid()
        """;
    try (Statement statement = open.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return new Backend(row.getInt(1), row.getObject(2, OffsetDateTime.class));
    }
  }

  private static void endBackend(Connection open, Backend old) throws SQLException {
    // A second argument makes PostgreSQL wait until the backend is gone.
    String sql =
        """
        SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE pid = ? AND backend_start = ? AND pid <> pg_backend_pid()
        """;
    try (PreparedStatement statement = open.prepareStatement(sql)) {
      statement.setInt(1, old.pid());
      statement.setObject(2, old.startedAt());
      try (ResultSet row = statement.executeQuery()) {
        if (row.next() && !row.getBoolean(1)) {
          throw new SQLException(
              "backend " + old.pid() + " of a lost connection did not end within 5 s", "08006");
        }
      }
    }
  }

  @Override
  public void close() {
    Open open = current;
    current = null;
    statements.clear();
    if (open != null) {
      open.close();
    }
    if (spare != null) {
      spare.close();
    }
  }
}
