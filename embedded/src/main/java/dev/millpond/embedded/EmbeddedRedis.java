package dev.millpond.embedded;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A real Redis server of this JVM, on a directory that outlives it: {@code redisdata} holds the
 * append-only file, {@code redis.log} what the server says. It appends every write and syncs once a
 * second, never evicts, and listens on 127.0.0.1 only.
 *
 * <p>A server that was left running on the directory, because its JVM was killed, is stopped by the
 * next start. Two JVMs never share a directory. Safe for use by many threads; all methods that
 * start or stop wait for the server.
 */
public final class EmbeddedRedis implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(EmbeddedRedis.class);
  private static final Set<String> OWN_SETTINGS =
      Set.of(
          "port",
          "bind",
          "dir",
          "pidfile",
          "logfile",
          "daemonize",
          "supervised",
          "set-proc-title",
          "include");
  private static final Pattern SETTING_NAME = Pattern.compile("[a-z][a-z0-9-]{0,62}");
  private static final Duration START_PATIENCE = Duration.ofSeconds(60);
  private static final Duration STOP_PATIENCE = Duration.ofSeconds(20);
  private static final Duration KILL_PATIENCE = Duration.ofSeconds(5);
  private static final Duration SNAPSHOT_PATIENCE = Duration.ofSeconds(10);

  /** So rarely that none is written by itself. */
  private static final String SNAPSHOTS = "86400 1000000000";

  /** How long a restart waits for its port. */
  private static final Duration OBSTACLE_PATIENCE = Duration.ofSeconds(15);

  private final Path directory;
  private final Path programs;
  private final Map<String, String> settings;
  private final DirectoryLock lock;
  private final Runnable stopAtExit = this::close;
  private volatile int port;
  private volatile long pid;
  private volatile String version = "";
  private @Nullable ServerProcess process;
  private boolean closed;

  private EmbeddedRedis(
      Path directory, Path programs, Map<String, String> settings, DirectoryLock lock) {
    this.directory = directory;
    this.programs = programs;
    this.settings = settings;
    this.lock = lock;
  }

  /** {@link #start(Path, StartOptions)} with {@link StartOptions#defaults()}. */
  public static EmbeddedRedis start(Path directory) {
    return start(directory, StartOptions.defaults());
  }

  /**
   * Starts a server on a directory, which is created when new, on a free port, and returns when it
   * has loaded its data.
   *
   * @throws EmbeddedServerException when it cannot be started; the message ends with the server's
   *     own words
   */
  public static EmbeddedRedis start(Path directory, StartOptions options) {
    checkSettings(options.settings());
    DirectoryLock lock = null;
    EmbeddedRedis server = null;
    try {
      Path home = Files.createDirectories(directory).toRealPath();
      if (home.toString().matches(".*[\"\\\\\\n].*")) {
        throw new EmbeddedServerException("Redis cannot use a directory with such a name: " + home);
      }
      lock = DirectoryLock.acquire(home.resolve("redis.lock"));
      Files.createDirectories(home.resolve("redisdata"));
      // Redis does not mind root.
      Path installed = options.programs();
      Path programs =
          installed == null
              ? Binaries.redis(home.resolve("programs"), new Privileges("as is", List.of(), -1))
              : installed;
      server = new EmbeddedRedis(home, programs, options.settings(), lock);
      server.stopOrphan();
      server.launch(0);
      if (options.stopAtExit()) {
        AtExit.add(server.stopAtExit);
      }
      return server;
    } catch (IOException e) {
      release(server, lock);
      throw new EmbeddedServerException("Redis cannot use " + directory + "; is it writable?", e);
    } catch (RuntimeException e) {
      release(server, lock);
      throw e;
    }
  }

  /** {@code redis://127.0.0.1:port}. */
  public String url() {
    return "redis://127.0.0.1:" + port;
  }

  /** The TCP port on 127.0.0.1; the same over all restarts of this object. */
  public int port() {
    return port;
  }

  /** The process id of the latest start. */
  public long pid() {
    return pid;
  }

  /** The server's version as it says it, such as {@code 7.0.15}. */
  public String version() {
    return version;
  }

  /** Where the server writes its log. */
  public Path logFile() {
    return directory.resolve("redis.log");
  }

  /** Where the server keeps its append-only file. */
  public Path dataDirectory() {
    return directory.resolve("redisdata");
  }

  /** Whether the process runs; a frozen one does. */
  public boolean isRunning() {
    return pid > 0 && ServerProcess.isAlive(pid);
  }

  /**
   * Ends the server by SIGKILL: up to a second of writes may be lost. Nothing happens when it is
   * not running.
   */
  public synchronized void kill() {
    stop("KILL", KILL_PATIENCE);
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
    stop("TERM", STOP_PATIENCE);
    try {
      launch(port);
    } catch (IOException e) {
      throw new EmbeddedServerException("Redis cannot use " + directory + " any more.", e);
    }
  }

  /**
   * Brings it where a full disk does: it cannot write a snapshot, and therefore answers each write,
   * reads of consumer groups among them, with MISCONF. Returns when it does so; {@link
   * #mendSnapshots} ends it.
   */
  public void breakSnapshots() {
    try (RedisConnection connection = RedisConnection.open(url())) {
      Files.createDirectories(snapshot()); // where its file should go
      connection.command("CONFIG", "SET", "save", SNAPSHOTS);
      connection.command("BGSAVE", "SCHEDULE");
      Poll poll = new Poll(SNAPSHOT_PATIENCE);
      while (!"err".equals(connection.info("persistence").get("rdb_last_bgsave_status"))) {
        if (!poll.next()) {
          throw new EmbeddedServerException("Redis on %s writes snapshots.".formatted(directory));
        }
      }
    } catch (IOException e) {
      throw new EmbeddedServerException("Redis on %s does not obey.".formatted(directory), e);
    }
  }

  /** Ends what {@link #breakSnapshots} has begun. */
  public void mendSnapshots() {
    try (RedisConnection connection = RedisConnection.open(url())) {
      connection.command("CONFIG", "SET", "save", "");
      Files.deleteIfExists(snapshot());
    } catch (IOException e) {
      throw new EmbeddedServerException("Redis on %s does not obey.".formatted(directory), e);
    }
  }

  private Path snapshot() {
    return dataDirectory().resolve("dump.rdb");
  }

  /** Stops the server in order and gives the directory free; its content stays. */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    AtExit.remove(stopAtExit);
    try {
      stop("TERM", STOP_PATIENCE);
    } finally {
      lock.close();
    }
  }

  /** As {@link #close()}, but as fast as a crash; for data that is thrown away. */
  synchronized void abandon() {
    kill();
    close();
  }

  /**
   * Stops a server that a dead JVM left on a directory; nothing happens when a JVM still owns it.
   */
  static void stopAbandoned(Path directory) {
    Path file = directory.resolve("redis.lock");
    if (!Files.exists(file)) {
      return;
    }
    DirectoryLock lock = DirectoryLock.tryAcquire(file);
    if (lock == null) {
      return;
    }
    try (lock) {
      Path home = directory.toRealPath();
      new EmbeddedRedis(home, home, Map.of(), lock).stopOrphan();
    } catch (IOException e) {
      throw new EmbeddedServerException("Cannot look for a server left on " + directory + ".", e);
    }
  }

  private static void release(@Nullable EmbeddedRedis server, @Nullable DirectoryLock lock) {
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
            "Redis directive %s %s: expected a directive other than %s, and a value of one line."
                .formatted(name, value, OWN_SETTINGS));
      }
    });
  }

  private Path configFile() {
    return directory.resolve("redis.conf");
  }

  private Path pidFile() {
    return directory.resolve("redis.pid");
  }

  private void writeConfig(int chosenPort) throws IOException {
    Map<String, String> directives = new LinkedHashMap<>();
    directives.put("bind", "127.0.0.1");
    directives.put("port", Integer.toString(chosenPort));
    directives.put("protected-mode", "yes");
    directives.put("dir", "\"" + dataDirectory() + "\"");
    directives.put("pidfile", "\"" + pidFile() + "\"");
    directives.put("daemonize", "no");
    // The command line stays readable, which is how an orphan is told from a stranger that took
    // over its id.
    directives.put("set-proc-title", "no");
    directives.put("appendonly", "yes");
    directives.put("appendfsync", "everysec");
    directives.put("save", "\"\"");
    directives.put("maxmemory-policy", "noeviction");
    directives.putAll(new TreeMap<>(settings));
    StringBuilder text = new StringBuilder("# Written by Millpond at every start.\n");
    directives.forEach((name, value) -> text.append(name).append(' ').append(value).append('\n'));
    Files.writeString(configFile(), text);
  }

  /** Starts the server process; caller holds the monitor or the only reference. */
  private void launch(int fixedPort) throws IOException {
    Poll obstacles = new Poll(OBSTACLE_PATIENCE);
    while (true) {
      int chosen = fixedPort > 0 ? fixedPort : Ports.free();
      writeConfig(chosen);
      ServerProcess started =
          ServerProcess.launch(
              List.of(programs.resolve("redis-server").toString(), configFile().toString()),
              logFile());
      process = started;
      if (awaitReady(started, chosen)) {
        return;
      }
      String tail = started.logTail();
      boolean interrupted = Thread.currentThread().isInterrupted();
      started.destroy();
      boolean passing =
          tail.contains("Failed listening on port") || tail.contains("Address already in use");
      if (interrupted || !passing || !obstacles.next()) {
        throw new EmbeddedServerException(
            "Redis did not start on %s, port %d%s; its log %s ends with:%n%s"
                .formatted(
                    directory, chosen, interrupted ? " (interrupted)" : "", logFile(), tail));
      }
    }
  }

  /** Waits until our server, not a foreign one on the port, has loaded its data. */
  private boolean awaitReady(ServerProcess started, int chosen) {
    Poll poll = new Poll(START_PATIENCE);
    do {
      try (RedisConnection connection = new RedisConnection("127.0.0.1", chosen)) {
        connection.command("PING");
        if (servesOurs(connection)) {
          Map<String, String> info = connection.info("server");
          port = chosen;
          pid = Long.parseLong(info.getOrDefault("process_id", "0"));
          version = info.getOrDefault("redis_version", "");
          return true;
        }
      } catch (IOException notYet) {
        // Refused, still loading, or a stranger who asks for a password: look again until the child
        // ends.
      }
    } while (started.isAlive() && poll.next());
    return false;
  }

  private boolean servesOurs(RedisConnection connection) throws IOException {
    List<String> dir = connection.command("CONFIG", "GET", "dir");
    return dir.size() == 2 && Path.of(dir.get(1)).equals(dataDirectory());
  }

  private void stop(String signal, Duration patience) {
    ServerProcess child = process;
    if (pid > 0) {
      end(pid, signal, patience);
    }
    if (child != null && !child.awaitChild(KILL_PATIENCE)) {
      child.destroy();
    }
    process = null;
  }

  private void end(long server, String signal, Duration patience) {
    for (String each : new LinkedHashSet<>(List.of(signal, "KILL"))) {
      if (!ServerProcess.isAlive(server)) {
        return;
      }
      ServerProcess.end(server, each);
      if (ServerProcess.awaitEnd(server, each.equals(signal) ? patience : KILL_PATIENCE)) {
        return;
      }
      log.warn("Redis {} on {} does not end on SIG{}.", server, directory, each);
    }
    throw new EmbeddedServerException(
        "Redis %d on %s cannot be stopped.".formatted(server, directory));
  }

  /** Ends a server of a JVM that is gone; the directory lock proves that no living JVM owns it. */
  private void stopOrphan() throws IOException {
    long left;
    try {
      left = Long.parseLong(Files.readString(pidFile()).strip());
    } catch (IOException | NumberFormatException none) {
      return;
    }
    if (ServerProcess.isAlive(left)
        && ServerProcess.commandLineMentions(left, configFile().toString())) {
      log.info("Stopping Redis {}, left on {} by a process that was killed.", left, directory);
      end(left, "TERM", STOP_PATIENCE);
    }
    Files.deleteIfExists(pidFile());
  }
}
