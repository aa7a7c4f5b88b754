package dev.millpond.embedded;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A real PostgreSQL server of this JVM, on a directory that outlives it: {@code pgdata} holds the
 * cluster, {@code postgres.log} what the server says. It is as durable as a production server
 * (fsync, synchronous_commit and full_page_writes are on), listens on 127.0.0.1 only and trusts
 * every local user.
 *
 * <p>A server that was left running on the directory, because its JVM was killed, is stopped by the
 * next start. Two JVMs never share a directory. Safe for use by many threads; all methods that
 * start or stop wait for the server.
 */
public final class EmbeddedPostgres implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(EmbeddedPostgres.class);
  private static final String USER = "postgres";
  private static final String SETTINGS_FILE = "millpond.conf";
  private static final Set<String> OWN_SETTINGS =
      Set.of("port", "listen_addresses", "unix_socket_directories", "data_directory");
  private static final Pattern SETTING_NAME = Pattern.compile("[a-z][a-z0-9_.]{0,62}");

  /** Crash recovery of {@code max_wal_size} of log takes its time on a slow disk. */
  private static final Duration START_PATIENCE = Duration.ofMinutes(2);

  private static final Duration FAST_STOP_PATIENCE = Duration.ofSeconds(30);
  private static final Duration IMMEDIATE_STOP_PATIENCE = Duration.ofSeconds(10);
  private static final Duration KILL_PATIENCE = Duration.ofSeconds(5);

  /** How long a restart waits for its port and for the last backends of a dead server. */
  private static final Duration OBSTACLE_PATIENCE = Duration.ofSeconds(15);

  private final Path directory;
  private final Path data;
  private final Path programs;
  private final Privileges privileges;
  private final DirectoryLock lock;
  private final Runnable stopAtExit = this::close;
  private volatile int port;
  private volatile long pid;
  private volatile String version = "";
  private @Nullable ServerProcess process;
  private boolean closed;

  private EmbeddedPostgres(
      Path directory, Path data, Path programs, Privileges privileges, DirectoryLock lock) {
    this.directory = directory;
    this.data = data;
    this.programs = programs;
    this.privileges = privileges;
    this.lock = lock;
  }

  /** {@link #start(Path, StartOptions)} with {@link StartOptions#defaults()}. */
  public static EmbeddedPostgres start(Path directory) {
    return start(directory, StartOptions.defaults());
  }

  /**
   * Starts a server on a directory, which is created and initialised when new, on a free port, and
   * returns when it accepts connections.
   *
   * <p>When the unprivileged user that root has to become cannot enter the directory, the cluster
   * lives in a directory of the temporary folder, the same one in every run, and a log line says
   * so.
   *
   * @throws EmbeddedServerException when it cannot be started; the message ends with the server's
   *     own words
   */
  public static EmbeddedPostgres start(Path directory, StartOptions options) {
    checkSettings(options.settings());
    DirectoryLock lock = null;
    EmbeddedPostgres server = null;
    try {
      Path home = Files.createDirectories(directory).toRealPath();
      lock = DirectoryLock.acquire(home.resolve("postgres.lock"));
      Privileges privileges = Privileges.unprivileged();
      Path installed = options.programs();
      Path programs =
          installed == null ? Binaries.postgres(home.resolve("programs"), privileges) : installed;
      Path data = dataDirectory(home, privileges);
      server = new EmbeddedPostgres(home, data, programs, privileges, lock);
      server.stopOrphan();
      server.initialise();
      server.writeSettings(options.settings());
      server.launch(0);
      if (options.stopAtExit()) {
        AtExit.add(server.stopAtExit);
      }
      return server;
    } catch (IOException e) {
      release(server, lock);
      throw new EmbeddedServerException(
          "PostgreSQL cannot use " + directory + "; is it writable?", e);
    } catch (RuntimeException e) {
      release(server, lock);
      throw e;
    }
  }

  /**
   * The JDBC URL of a database, which need not exist yet; append more parameters with {@code &}.
   */
  public String jdbcUrl(String database) {
    return "jdbc:postgresql://127.0.0.1:%d/%s?user=%s&sslmode=disable"
        .formatted(port, database, USER);
  }

  /** The TCP port on 127.0.0.1; the same over all restarts of this object. */
  public int port() {
    return port;
  }

  /** The process id of the postmaster of the latest start. */
  public long pid() {
    return pid;
  }

  /** The server's version as it says it, such as {@code 18.6}. */
  public String version() {
    return version;
  }

  /** Where the server writes its log. */
  public Path logFile() {
    return directory.resolve("postgres.log");
  }

  /** Where the cluster lives. */
  public Path dataDirectory() {
    return data;
  }

  /** Whether the postmaster runs; a frozen one does. */
  public boolean isRunning() {
    return pid > 0 && ServerProcess.isAlive(pid);
  }

  /** Creates a database; one that exists stays as it is. */
  public void createDatabase(String name) {
    try (Connection connection = DriverManager.getConnection(jdbcUrl("postgres"))) {
      createDatabase(connection, name);
    } catch (SQLException e) {
      throw new EmbeddedServerException("Cannot create the database " + name + ".", e);
    }
  }

  static void createDatabase(Connection connection, String name) throws SQLException {
    try (PreparedStatement find =
        connection.prepareStatement("SELECT 1 FROM pg_database WHERE datname = ?")) {
      find.setString(1, name);
      try (ResultSet found = find.executeQuery()) {
        if (found.next()) {
          return;
        }
      }
    }
    try (Statement create = connection.createStatement()) {
      create.execute("CREATE DATABASE \"" + name.replace("\"", "\"\"") + "\"");
    } catch (SQLException e) {
      // 42P04 duplicate_database and, from the catalogue's index, 23505: somebody else was faster.
      if (!"42P04".equals(e.getSQLState()) && !"23505".equals(e.getSQLState())) {
        throw e;
      }
    }
  }

  /**
   * Ends the server as a crash would, like {@code pg_ctl stop -m immediate}: connections break,
   * nothing is flushed, the next start recovers from the write-ahead log. Nothing happens when it
   * is not running.
   */
  public synchronized void stopImmediately() {
    stop("QUIT", IMMEDIATE_STOP_PATIENCE);
  }

  /**
   * Starts the server again on the same directory and port; one that is running is stopped in order
   * first.
   */
  public synchronized void restart() {
    if (closed) {
      throw new IllegalStateException(
          "The server on " + directory + " is closed; start a new one.");
    }
    stop("INT", FAST_STOP_PATIENCE);
    launch(port);
  }

  /** Stops the server in order (fast shutdown) and gives the directory free; its content stays. */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    AtExit.remove(stopAtExit);
    try {
      stop("INT", FAST_STOP_PATIENCE);
    } finally {
      lock.close();
    }
  }

  /** As {@link #close()}, but as fast as a crash; for data that is thrown away. */
  synchronized void abandon() {
    stopImmediately();
    close();
  }

  /**
   * Stops a server that a dead JVM left on a directory; nothing happens when a JVM still owns it.
   */
  static void stopAbandoned(Path directory) {
    Path file = directory.resolve("postgres.lock");
    if (!Files.exists(file)) {
      return;
    }
    DirectoryLock lock = DirectoryLock.tryAcquire(file);
    if (lock == null) {
      return;
    }
    try (lock) {
      Privileges privileges = Privileges.unprivileged();
      Path home = directory.toRealPath();
      new EmbeddedPostgres(home, dataDirectory(home, privileges), home, privileges, lock)
          .stopOrphan();
    } catch (IOException e) {
      throw new EmbeddedServerException("Cannot look for a server left on " + directory + ".", e);
    }
  }

  private static void release(@Nullable EmbeddedPostgres server, @Nullable DirectoryLock lock) {
    if (server != null) {
      server.close();
    } else if (lock != null) {
      lock.close();
    }
  }

  private static void checkSettings(Map<String, String> settings) {
    settings.forEach((name, value) -> {
      if (!SETTING_NAME.matcher(name).matches()
          || OWN_SETTINGS.contains(name)
          || value.contains("\n")) {
        throw new IllegalArgumentException(
            "PostgreSQL setting %s = %s: expected a setting's name other than %s, and a value of one line."
                .formatted(name, value, OWN_SETTINGS));
      }
    });
  }

  private static Path dataDirectory(Path home, Privileges privileges) throws IOException {
    if (privileges.canEnter(home)) {
      return home.resolve("pgdata");
    }
    Path spare = Binaries.userFolder().resolve("data-" + Binaries.shortName(home));
    Files.createDirectories(spare);
    Files.setPosixFilePermissions(spare, PosixFilePermissions.fromString("rwxr-xr-x"));
    log.warn(
        "PostgreSQL runs without root's rights and cannot enter {}; its data is in {} instead. "
            + "Open the directory to others (chmod o+x) to have it there.",
        home,
        spare);
    return spare.resolve("pgdata");
  }

  private void initialise() throws IOException {
    if (Files.exists(data.resolve("PG_VERSION"))) {
      privileges.own(data);
      return;
    }
    if (Files.exists(data)) {
      throw new EmbeddedServerException(
          data
              + " exists but holds no PostgreSQL cluster; move it away or choose another"
              + " directory.");
    }
    // Complete under another name first: a killed initdb must not leave what looks like a cluster.
    Path fresh = data.resolveSibling("pgdata.new");
    Binaries.deleteRecursively(fresh);
    Files.createDirectory(fresh);
    Files.setPosixFilePermissions(fresh, PosixFilePermissions.fromString("rwx------"));
    privileges.own(fresh);
    List<String> initdb =
        List.of(
            programs.resolve("bin/initdb").toString(),
            "--pgdata=" + fresh,
            "--username=" + USER,
            "--encoding=UTF8",
            "--locale=C",
            "--auth=trust");
    ServerProcess.Ran ran = ServerProcess.run(privileges.command(initdb));
    if (!ran.ok()) {
      throw new EmbeddedServerException(
          "initdb failed on %s with exit code %d: %s"
              .formatted(fresh, ran.exitCode(), ran.output().strip()));
    }
    Files.writeString(
        fresh.resolve("postgresql.conf"),
        "\ninclude_if_exists = '" + SETTINGS_FILE + "'\n",
        StandardOpenOption.APPEND);
    Files.move(fresh, data, StandardCopyOption.ATOMIC_MOVE);
  }

  private void writeSettings(Map<String, String> callers) throws IOException {
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put("fsync", "on");
    settings.put("synchronous_commit", "on");
    settings.put("full_page_writes", "on");
    settings.put("max_connections", "200");
    settings.put("shared_buffers", "256MB");
    settings.put("max_wal_size", "2GB");
    settings.put("timezone", "UTC");
    settings.put("log_timezone", "UTC");
    settings.put("log_checkpoints", "off");
    settings.putAll(new TreeMap<>(callers));
    StringBuilder text =
        new StringBuilder(
            "# Written by Millpond at every start; put your own into postgresql.conf.\n");
    settings.forEach((name, value) ->
        text.append(name).append(" = '").append(value.replace("'", "''")).append("'\n"));
    Path file = data.resolve(SETTINGS_FILE);
    Files.writeString(file, text);
    privileges.own(file);
  }

  /** Starts the server process; caller holds the monitor or the only reference. */
  private void launch(int fixedPort) {
    Poll obstacles = new Poll(OBSTACLE_PATIENCE);
    while (true) {
      int chosen = fixedPort > 0 ? fixedPort : Ports.free();
      PidFile stale = PidFile.read(data);
      List<String> command =
          List.of(
              programs.resolve("bin/postgres").toString(),
              "-D",
              data.toString(),
              "-p",
              Integer.toString(chosen),
              "-c",
              "listen_addresses=127.0.0.1",
              // No unix socket: its path would be limited to 107 bytes, and JDBC has no use for it.
              "-c",
              "unix_socket_directories=");
      ServerProcess started = ServerProcess.launch(privileges.command(command), logFile());
      process = started;
      Optional<PidFile> ready = awaitReady(started, stale);
      if (ready.isPresent()) {
        port = chosen;
        pid = ready.get().pid();
        verifyIsOurs();
        return;
      }
      String tail = started.logTail();
      boolean interrupted = Thread.currentThread().isInterrupted();
      started.destroy();
      boolean passing =
          tail.contains("could not bind")
              || tail.contains("could not create any TCP/IP sockets")
              || tail.contains("is still in use");
      if (interrupted || !passing || !obstacles.next()) {
        throw new EmbeddedServerException(
            "PostgreSQL did not start on %s, port %d%s; its log %s ends with:%n%s"
                .formatted(data, chosen, interrupted ? " (interrupted)" : "", logFile(), tail));
      }
    }
  }

  private Optional<PidFile> awaitReady(ServerProcess started, @Nullable PidFile stale) {
    Poll poll = new Poll(START_PATIENCE);
    do {
      PidFile file = PidFile.read(data);
      if (file != null
          && file.ready()
          && !file.sameServer(stale)
          && ServerProcess.isAlive(file.pid())) {
        return Optional.of(file);
      }
    } while (started.isAlive() && poll.next());
    return Optional.empty();
  }

  /** A foreign server on the port would answer as well. */
  private void verifyIsOurs() {
    try (Connection connection =
            DriverManager.getConnection(
                jdbcUrl("postgres") + "&connectTimeout=10&socketTimeout=30");
        Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT current_setting('data_directory'), current_setting('server_version')")) {
      row.next();
      Path served = Path.of(row.getString(1));
      if (!served.equals(data)) {
        throw new EmbeddedServerException(
            "Port %d is served by a PostgreSQL on %s, not by ours on %s."
                .formatted(port, served, data));
      }
      version = row.getString(2).split(" ", 2)[0];
    } catch (SQLException e) {
      throw new EmbeddedServerException(
          "PostgreSQL on %s says it is ready but does not answer on port %d; its log is %s."
              .formatted(data, port, logFile()),
          e);
    }
  }

  private void stop(String signal, Duration patience) {
    ServerProcess child = process;
    long server = pid;
    if (server > 0) {
      end(server, signal, patience);
    }
    if (child != null && !child.awaitChild(KILL_PATIENCE)) {
      child.destroy();
    }
    process = null;
  }

  private void end(long server, String signal, Duration patience) {
    for (String each : new LinkedHashSet<>(List.of(signal, "QUIT", "KILL"))) {
      if (!ServerProcess.isAlive(server)) {
        return;
      }
      ServerProcess.end(server, each);
      if (ServerProcess.awaitEnd(server, each.equals(signal) ? patience : KILL_PATIENCE)) {
        return;
      }
      log.warn("PostgreSQL {} on {} does not end on SIG{}.", server, data, each);
    }
    throw new EmbeddedServerException(
        "PostgreSQL %d on %s cannot be stopped.".formatted(server, data));
  }

  /** Ends a server of a JVM that is gone; the directory lock proves that no living JVM owns it. */
  private void stopOrphan() throws IOException {
    PidFile file = PidFile.read(data);
    if (file == null || !ServerProcess.isAlive(file.pid())) {
      return;
    }
    if (ServerProcess.commandLineMentions(file.pid(), data.toString())) {
      log.info(
          "Stopping PostgreSQL {}, left on {} by a process that was killed.", file.pid(), data);
      end(file.pid(), "INT", FAST_STOP_PATIENCE);
    } else {
      // The id now belongs to somebody else, and PostgreSQL would refuse to start because that one
      // lives.
      Files.delete(data.resolve(PidFile.NAME));
    }
  }

  /** What a postmaster notes in its data directory. */
  private record PidFile(long pid, String startedAt, boolean ready) {
    static final String NAME = "postmaster.pid";

    static @Nullable PidFile read(Path data) {
      try {
        List<String> lines = Files.readAllLines(data.resolve(NAME));
        if (lines.size() < 3) {
          return null;
        }
        boolean ready = lines.size() >= 8 && lines.get(7).strip().equals("ready");
        return new PidFile(Long.parseLong(lines.get(0).strip()), lines.get(2).strip(), ready);
      } catch (IOException | NumberFormatException noneOrBeingWritten) {
        return null;
      }
    }

    boolean sameServer(@Nullable PidFile other) {
      return other != null && pid == other.pid && startedAt.equals(other.startedAt);
    }
  }
}
