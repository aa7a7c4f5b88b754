package dev.millpond.engine.lifecycle.store;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.SQLExceptionOverride;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Properties;
import java.util.UUID;
import java.util.concurrent.Executor;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Opens connections to PostgreSQL, and tells the kinds of their errors apart. */
public final class Pg {
  /** Array types that the driver itself would not send in binary: uuid, timestamptz, boolean. */
  private static final String BINARY_OIDS = "2951,1185,1000";

  private static final int CONNECT_TIMEOUT_SECONDS = 5;

  /**
   * What PostgreSQL does about a client that is gone without a word, a host without power say: a
   * transaction that does nothing for five seconds is ended, with all that it has locked (a
   * leader's row, partitions that are being dropped), and a dead connection is found within 25 s.
   * Without this both last until TCP gives up, two hours by default.
   */
  private static final String DEAD_CLIENT =
      " -c idle_in_transaction_session_timeout=5000"
          + " -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
          + " -c tcp_user_timeout=25000";

  /**
   * Plans of the hot statements must not depend on when they were first made: one cached while a
   * table was empty becomes a sequential scan later.
   */
  private static final String HOT_SETTINGS =
      "-c plan_cache_mode=force_generic_plan -c jit=off -c enable_seqscan=off -c"
          + " enable_hashjoin=off -c enable_mergejoin=off -c enable_bitmapscan=off";

  private static final int POOL_STATEMENT_MILLIS = 30_000;

  /**
   * Planned anew each time, which takes some 0.05 ms: a generic plan that is cached while a table
   * is empty reads all of it later, until somebody analyzes it (ADR 18).
   */
  private static final String POOL_SETTINGS =
      "-c plan_cache_mode=force_custom_plan -c jit=off -c statement_timeout="
          + POOL_STATEMENT_MILLIS;

  private static final int POOL_SOCKET_TIMEOUT_SECONDS = 60;

  /**
   * The most that a statement on the pool may be given: were the socket to give up first, its
   * backend would go on alone.
   */
  public static final int LONGEST_STATEMENT_MILLIS = (POOL_SOCKET_TIMEOUT_SECONDS - 5) * 1_000;

  /** The most that an answer is waited for. */
  public static final Duration LONGEST_ANSWER = Duration.ofSeconds(POOL_SOCKET_TIMEOUT_SECONDS);

  /** The least and the most that a prompt connection waits for an answer. */
  private static final int PROMPT_SECONDS_MIN = 1;

  private static final int PROMPT_SECONDS_MAX = 5;

  /** PostgreSQL has given a statement up: it took longer than it may. */
  static final String STATEMENT_TIMEOUT = "57014";

  /** After a failover the server behind a connection may be one that only reads. */
  private static final String READ_ONLY = "25006";

  /** Such a connection is not given back to the pool. */
  private static final SQLExceptionOverride NO_PRIMARY =
      new SQLExceptionOverride() {
        @java.lang.Override
        public Override adjudicate(SQLException e) {
          return READ_ONLY.equals(e.getSQLState()) ? Override.MUST_EVICT : Override.CONTINUE_EVICT;
        }
      };

  /** The pool takes no less. */
  private static final long VALIDATION_MILLIS_MIN = 250;

  private static final Pattern SEVERAL_HOSTS = Pattern.compile("^jdbc:postgresql://[^/?]*,");

  private Pg() {}

  /**
   * A connection of its own for a hot path.
   *
   * @param name shown in {@code pg_stat_activity}
   * @param lockTimeoutMillis after which a statement that waits for a lock fails with 55P03
   * @param socketTimeoutSeconds after which an answer counts as lost
   */
  public static Connection hot(
      String url, String name, int lockTimeoutMillis, int socketTimeoutSeconds)
      throws SQLException {
    Properties properties = common(url, name);
    properties.setProperty("prepareThreshold", "1");
    properties.setProperty("socketTimeout", Integer.toString(socketTimeoutSeconds));
    properties.setProperty(
        "options",
        HOT_SETTINGS + DEAD_CLIENT + " -c lock_timeout=" + lockTimeoutMillis + " -c TimeZone=UTC");
    return DriverManager.getConnection(url, properties);
  }

  /** A pool for everything that is not hot. */
  public static HikariDataSource pool(String url, String name, int size) {
    return new HikariDataSource(poolConfig(url, name, size, POOL_SOCKET_TIMEOUT_SECONDS));
  }

  /**
   * One connection for the beats of a worker: no list or maintenance keeps them waiting, and an
   * answer that does not come is given up while the lease still runs. Opens nothing before it is
   * used.
   */
  public static HikariDataSource beats(String url, Duration lease) {
    int seconds = Math.clamp(lease.toSeconds() / 2, 1, POOL_SOCKET_TIMEOUT_SECONDS);
    HikariConfig config = poolConfig(url, "millpond-beats", 1, seconds);
    config.setMinimumIdle(0);
    config.setConnectionTimeout(1_000L * seconds);
    config.setValidationTimeout(Math.max(VALIDATION_MILLIS_MIN, lease.toMillis() / 4));
    return new HikariDataSource(config);
  }

  /**
   * Connections of those that must not be held up for long: some maintenance roles (ADR 26), and
   * the worker's notes on jobs that run alone, while which its lanes stand still. An answer that
   * does not come is given up after half a lease; PostgreSQL gives a statement up somewhat earlier,
   * which it then says, so that a slow one is told from a dead connection. A transaction that a
   * dead connection leaves there ends as soon. Opens nothing before it is used.
   *
   * @param size one for each who uses it at the same time
   */
  public static HikariDataSource prompt(String url, Duration lease, int size) {
    Duration answer = promptAnswer(lease);
    int seconds = Math.toIntExact(answer.toSeconds());
    int millis = seconds * 1_000;
    HikariConfig config = poolConfig(url, "millpond-roles", size, seconds);
    config.setMinimumIdle(0);
    config.setConnectionTimeout(millis);
    config.setValidationTimeout(Math.max(VALIDATION_MILLIS_MIN, millis / 4));
    Properties properties = config.getDataSourceProperties();
    properties.setProperty("connectTimeout", Integer.toString(seconds));
    properties.setProperty("loginTimeout", Integer.toString(seconds * 2));
    properties.merge(
        "options",
        " -c statement_timeout=%d -c lock_timeout=%d -c idle_in_transaction_session_timeout=%d"
            .formatted(statementMillis(answer), millis / 2, millis),
        (usual, more) -> usual.toString() + more);
    HikariDataSource lazy = new HikariDataSource();
    config.copyStateTo(lazy);
    return lazy;
  }

  /** How long a prompt connection waits for an answer: half a lease, 1 to 5 s. */
  public static Duration promptAnswer(Duration lease) {
    return Duration.ofSeconds(
        Math.clamp(lease.toSeconds() / 2, PROMPT_SECONDS_MIN, PROMPT_SECONDS_MAX));
  }

  /** When PostgreSQL gives a statement up whose answer is waited for so long. */
  public static int statementMillis(Duration answer) {
    return Math.toIntExact(Math.min(answer.toMillis() * 3 / 4, POOL_STATEMENT_MILLIS));
  }

  /**
   * Lets a transaction of a pool's connection, which has just begun, wait so long for answers. The
   * pool takes it back.
   */
  static void giveTime(Connection tx, Duration answer) throws SQLException {
    Executor here = Runnable::run;
    tx.setNetworkTimeout(here, Math.toIntExact(answer.toMillis()));
    try (Statement statement = tx.createStatement()) {
      statement.execute("SET LOCAL statement_timeout = " + statementMillis(answer));
    }
  }

  /**
   * A pool for the transactions of handlers, which may be long: apart, so that they never keep a
   * beat waiting. Opens nothing before it is used.
   */
  public static HikariDataSource handlerPool(String url, String name, int size) {
    HikariConfig config = poolConfig(url, name, size, POOL_SOCKET_TIMEOUT_SECONDS);
    config.setMinimumIdle(0);
    config.setConnectionTimeout(30_000);
    return new HikariDataSource(config);
  }

  private static HikariConfig poolConfig(
      String url, String name, int size, int socketTimeoutSeconds) {
    HikariConfig config = new HikariConfig();
    config.setPoolName(name);
    config.setJdbcUrl(url);
    config.setMaximumPoolSize(size);
    config.setMinimumIdle(1);
    config.setConnectionTimeout(5_000);
    config.setInitializationFailTimeout(-1);
    config.setExceptionOverride(NO_PRIMARY);
    config.setKeepaliveTime(30_000);
    Properties properties = common(url, name);
    properties.setProperty("socketTimeout", Integer.toString(socketTimeoutSeconds));
    properties.setProperty("options", POOL_SETTINGS + DEAD_CLIENT + " -c TimeZone=UTC");
    config.setDataSourceProperties(properties);
    return config;
  }

  private static Properties common(String url, String name) {
    Properties properties = new Properties();
    if (SEVERAL_HOSTS.matcher(url).find()) {
      // What the URL says itself comes before this.
      properties.setProperty("targetServerType", "primary");
      properties.setProperty("hostRecheckSeconds", "1");
    }
    properties.setProperty("ApplicationName", name);
    properties.setProperty("binaryTransferEnable", BINARY_OIDS);
    properties.setProperty("connectTimeout", Integer.toString(CONNECT_TIMEOUT_SECONDS));
    properties.setProperty("loginTimeout", Integer.toString(CONNECT_TIMEOUT_SECONDS * 2));
    properties.setProperty("tcpKeepAlive", "true");
    return properties;
  }

  /** Reads a uuid[] column, never null inside. */
  public static UUID[] uuids(java.sql.ResultSet row, int column) throws SQLException {
    return (UUID[]) row.getArray(column).getArray();
  }

  /** Reads an int[] column; null when it is null. */
  public static int @Nullable [] ints(java.sql.ResultSet row, int column) throws SQLException {
    java.sql.Array array = row.getArray(column);
    if (array == null) {
      return null;
    }
    Integer[] boxed = (Integer[]) array.getArray();
    int[] values = new int[boxed.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = boxed[i];
    }
    return values;
  }

  /** What kind of error it is, and so what to do about it. */
  public enum Fault {
    /**
     * The connection is gone or the server refuses work for now; a sent commit may have happened.
     */
    CONNECTION,
    /** Do it again as it is: deadlock or serialization failure. */
    REPEAT,
    /** A unique key is violated, or a flush's own count does not come out: repeat carefully. */
    UNIQUE,
    /** A lock was not to be had in time. */
    LOCK,
    /** The data or the statement is wrong. */
    DATA
  }

  /** What kind of error it is; anything but an {@link SQLException} is our own mistake. */
  public static Fault fault(Exception thrown) {
    if (!(thrown instanceof SQLException error)) {
      return Fault.DATA;
    }
    String state = error.getSQLState();
    if (state == null || error.getCause() instanceof IOException) {
      return Fault.CONNECTION;
    }
    return switch (state) {
      case "40P01", "40001" -> Fault.REPEAT;
      case "23505", "22012" -> Fault.UNIQUE;
      case "55P03" -> Fault.LOCK;
      case READ_ONLY -> Fault.CONNECTION;
      case "25P03" -> Fault.CONNECTION; // idle in a transaction for too long
      case STATEMENT_TIMEOUT -> Fault.LOCK;
      default ->
          state.startsWith("08")
                  || state.startsWith("57P")
                  || state.startsWith("53")
                  || state.startsWith("58")
              ? Fault.CONNECTION
              : Fault.DATA;
    };
  }
}
