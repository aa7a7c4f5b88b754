package dev.millpond.embedded;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The PostgreSQL and the Redis servers of a test JVM, started when needed and stopped at its end:
 * embedded ones, or external ones named by {@value #PG_VARIABLE} (a JDBC URL of a role that may
 * create databases) and {@value #REDIS_VARIABLE} (a Redis that tests may empty). {@value
 * #PG_PROGRAMS_VARIABLE} names an installed PostgreSQL, by its directory with {@code bin/postgres},
 * that is started instead of the embedded one. Says once on standard output which servers are used.
 *
 * <p>The embedded ones are as durable as in the demo, allow {@code DEBUG} in Redis, and live in a
 * temporary directory that is deleted at the end; what a killed test JVM left behind is stopped and
 * deleted by the next one. Thread-safe.
 */
public final class TestServers {
  public static final String PG_VARIABLE = "MILLPOND_TEST_PG_URL";
  public static final String REDIS_VARIABLE = "MILLPOND_TEST_REDIS_URL";
  public static final String PG_PROGRAMS_VARIABLE = "MILLPOND_TEST_PG_PROGRAMS";

  private static final Logger log = LoggerFactory.getLogger(TestServers.class);
  private static final String OWNER_LOCK = "owner.lock";

  private static @Nullable TestServers ofThisJvm;

  private final @Nullable EmbeddedPostgres postgres;
  private final TestRedisShelf redis;
  private final String adminUrl;
  private final Queue<String> databases = new ConcurrentLinkedQueue<>();
  private final Object templateLock = new Object();

  /** The database that others are copies of; guarded by the lock. */
  private @Nullable String template;

  private TestServers(@Nullable EmbeddedPostgres postgres, TestRedisShelf redis, String adminUrl) {
    this.postgres = postgres;
    this.redis = redis;
    this.adminUrl = adminUrl;
  }

  /** The servers of this JVM; the first call starts them. */
  public static synchronized TestServers get() {
    TestServers servers = ofThisJvm;
    if (servers == null) {
      servers = startAll();
      ofThisJvm = servers;
    }
    return servers;
  }

  /**
   * Creates an empty database under a name used nowhere else and returns its JDBC URL. Starts the
   * embedded server again when a test left it stopped.
   */
  public String freshDatabase() {
    restartIfStopped();
    return withDatabase(adminUrl, create("template1"));
  }

  /**
   * As {@link #freshDatabase()}, with what {@code fill} has put into the first one: the others are
   * copies of it, which is much faster than filling each.
   *
   * @param fill is given the JDBC URL of an empty database; leaves no connection open; the same at
   *     each call
   */
  public String freshDatabase(Consumer<String> fill) {
    restartIfStopped();
    String from;
    synchronized (templateLock) {
      if (template == null) {
        String first = create("template1");
        fill.accept(withDatabase(adminUrl, first));
        template = first;
      }
      from = template;
    }
    return withDatabase(adminUrl, create(from));
  }

  /** Creates a database that is a copy of another one; its name. */
  private String create(String from) {
    String name = "millpond_test_" + UUID.randomUUID().toString().replace("-", "").substring(0, 16);
    try (Connection connection = DriverManager.getConnection(adminUrl);
        Statement create = connection.createStatement()) {
      create.execute("CREATE DATABASE \"" + name + "\" TEMPLATE \"" + from + "\"");
    } catch (SQLException e) {
      throw new EmbeddedServerException("Cannot create the database " + name + " for a test.", e);
    }
    databases.add(name);
    return name;
  }

  /**
   * An empty Redis that the caller has to itself until it closes it. Embedded ones are as many as
   * needed; an external one is waited for.
   */
  public TestRedis redis() {
    return redis.take();
  }

  /**
   * The embedded PostgreSQL, for tests that stop it.
   *
   * @throws IllegalStateException when an external one is used
   */
  public EmbeddedPostgres embeddedPostgres() {
    if (postgres == null) {
      throw external("PostgreSQL", PG_VARIABLE);
    }
    return postgres;
  }

  static String withDatabase(String jdbcUrl, String database) {
    String prefix = "jdbc:postgresql://";
    int slash = jdbcUrl.startsWith(prefix) ? jdbcUrl.indexOf('/', prefix.length()) : -1;
    if (slash < 0) {
      throw new IllegalArgumentException(
          PG_VARIABLE + ": expected jdbc:postgresql://host:port/database?user=…&password=…");
    }
    int query = jdbcUrl.indexOf('?', slash);
    return jdbcUrl.substring(0, slash + 1) + database + (query < 0 ? "" : jdbcUrl.substring(query));
  }

  static IllegalStateException external(String server, String variable) {
    return new IllegalStateException(
        "This test stops and starts its own %s, but %s names an external one; unset the variable or leave the test out."
            .formatted(server, variable));
  }

  private static TestServers startAll() {
    String pgUrl = environment(PG_VARIABLE);
    String redisUrl = environment(REDIS_VARIABLE);
    if (pgUrl != null && redisUrl != null) {
      return announced(new TestServers(null, TestRedisShelf.external(redisUrl), pgUrl), null);
    }
    DirectoryLock owner = newDirectory();
    TestRedisShelf redis =
        redisUrl == null
            ? TestRedisShelf.embedded(owner.directory())
            : TestRedisShelf.external(redisUrl);
    try {
      EmbeddedPostgres postgres = pgUrl == null ? startPostgres(owner.directory()) : null;
      TestServers servers =
          new TestServers(
              postgres,
              redis,
              postgres == null ? String.valueOf(pgUrl) : postgres.jdbcUrl("postgres"));
      return announced(servers, owner);
    } catch (EmbeddedServerException e) {
      redis.end();
      throw e;
    }
  }

  private static TestServers announced(TestServers servers, @Nullable DirectoryLock owner) {
    AtExit.add(() -> servers.end(owner));
    System.out.println(servers.describe());
    return servers;
  }

  private static EmbeddedPostgres startPostgres(Path directory) {
    return EmbeddedPostgres.start(directory.resolve("postgres"), postgresOptions());
  }

  /** Of a PostgreSQL of the tests, which stops it itself. */
  static StartOptions postgresOptions() {
    StartOptions options = StartOptions.defaults().withStopAtExit(false);
    String programs = environment(PG_PROGRAMS_VARIABLE);
    return programs == null ? options : options.withPrograms(Path.of(programs));
  }

  /**
   * A new directory of this JVM, taken under a lock of all, so that no sweep sees it untaken; one
   * thread at a time, for a JVM cannot wait for a lock of its own.
   */
  static synchronized DirectoryLock newDirectory() {
    try {
      Path root = Files.createDirectories(Binaries.userFolder().resolve("tests"));
      return newDirectory(root);
    } catch (IOException e) {
      throw new EmbeddedServerException("No temporary directory for the servers of the tests.", e);
    }
  }

  @SuppressWarnings("try")
  private static DirectoryLock newDirectory(Path root) throws IOException {
    try (FileChannel channel =
            FileChannel.open(
                root.resolve("sweep.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        var unused = channel.lock()) {
      sweep(root);
      Path fresh = root.resolve(UUID.randomUUID().toString().substring(0, 8));
      return DirectoryLock.acquire(Files.createDirectory(fresh).resolve(OWNER_LOCK));
    }
  }

  private static void sweep(Path root) throws IOException {
    try (Stream<Path> children = Files.list(root)) {
      for (Path child : children.filter(Files::isDirectory).toList()) {
        DirectoryLock lock = DirectoryLock.tryAcquire(child.resolve(OWNER_LOCK));
        if (lock == null) {
          continue;
        }
        try (lock) {
          EmbeddedPostgres.stopAbandoned(child.resolve("postgres"));
          stopAbandonedRedis(child);
          Binaries.deleteRecursively(child);
        } catch (IOException | EmbeddedServerException e) {
          log.warn("{}, left by an earlier test run, cannot be removed.", child, e);
        }
      }
    }
  }

  private static void stopAbandonedRedis(Path child) throws IOException {
    try (Stream<Path> folders = Files.list(child)) {
      folders
          .filter(folder -> folder.getFileName().toString().startsWith(TestRedisShelf.FOLDER))
          .forEach(EmbeddedRedis::stopAbandoned);
    }
  }

  private static @Nullable String environment(String name) {
    String value = System.getenv(name);
    return value == null || value.isBlank() ? null : value.strip();
  }

  private String describe() {
    String pg = postgres != null ? "embedded, port " + postgres.port() : "external";
    try (Connection connection = DriverManager.getConnection(adminUrl);
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SHOW server_version");
        TestRedis first = redis();
        RedisConnection redisConnection = RedisConnection.open(first.url())) {
      row.next();
      String redisVersion = redisConnection.info("server").getOrDefault("redis_version", "unknown");
      return "Test servers: PostgreSQL %s (%s), Redis %s (%s)"
          .formatted(
              row.getString(1), pg, redisVersion, first.server() == null ? "external" : "embedded");
    } catch (SQLException | IOException | EmbeddedServerException e) {
      throw new EmbeddedServerException(
          "The test servers do not answer (PostgreSQL: %s); check %s and %s."
              .formatted(pg, PG_VARIABLE, REDIS_VARIABLE),
          e);
    }
  }

  private synchronized void restartIfStopped() {
    if (postgres != null && !postgres.isRunning()) {
      postgres.restart();
    }
  }

  private void end(@Nullable DirectoryLock owner) {
    if (postgres != null) {
      postgres.abandon();
    } else {
      dropDatabases();
    }
    redis.end();
    if (owner != null) {
      try (owner) {
        Binaries.deleteRecursively(owner.directory());
      } catch (IOException e) {
        log.warn("{} cannot be removed; the next test run will do it.", owner.directory(), e);
      }
    }
  }

  private void dropDatabases() {
    try (Connection connection = DriverManager.getConnection(adminUrl);
        Statement statement = connection.createStatement()) {
      for (String name : databases) {
        statement.execute("DROP DATABASE IF EXISTS \"" + name + "\" WITH (FORCE)");
      }
    } catch (SQLException e) {
      log.warn("The databases of the tests cannot be dropped: {}", databases, e);
    }
  }
}
