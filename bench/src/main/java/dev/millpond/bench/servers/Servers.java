package dev.millpond.bench.servers;

import dev.millpond.embedded.EmbeddedPostgres;
import dev.millpond.embedded.EmbeddedRedis;
import dev.millpond.embedded.StartOptions;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The PostgreSQL and Redis of a run: those of the caller's URLs, otherwise own ones in a temporary
 * directory that is deleted at the end. Own ones run the machine's programs where there are any,
 * else those of the embedded module, whose Redis is slower. Durability is PostgreSQL's default:
 * fsync, synchronous_commit and full_page_writes are on.
 */
public final class Servers implements AutoCloseable {
  private static final Path DEBIAN_POSTGRES = Path.of("/usr/lib/postgresql");

  private final @Nullable Path directory;
  private @Nullable EmbeddedPostgres postgres;
  private final List<EmbeddedRedis> redis = new ArrayList<>();
  private String pgUrl = "";
  private final List<String> redisUrls;
  private final boolean ownRedis;
  private final List<String> notes;

  private Servers(
      @Nullable Path directory, List<String> redisUrls, boolean ownRedis, List<String> notes) {
    this.directory = directory;
    this.redisUrls = new ArrayList<>(redisUrls);
    this.ownRedis = ownRedis;
    this.notes = notes;
  }

  /**
   * Starts what has no URL.
   *
   * @param givenRedisUrls in shard order; empty for own ones
   * @param withRedis whether Redis is needed
   */
  public static Servers start(
      @Nullable String givenPgUrl, List<String> givenRedisUrls, boolean withRedis)
      throws IOException {
    return start(givenPgUrl, givenRedisUrls, withRedis, servers -> {});
  }

  /**
   * The same.
   *
   * @param begun gets them before the first one starts, so that it can close them in any case
   */
  public static Servers start(
      @Nullable String givenPgUrl,
      List<String> givenRedisUrls,
      boolean withRedis,
      Consumer<Servers> begun)
      throws IOException {
    boolean ownRedis = withRedis && givenRedisUrls.isEmpty();
    Path directory = null;
    if (givenPgUrl == null || ownRedis) {
      directory = Files.createTempDirectory("millpond-bench-");
      // The user that root becomes for PostgreSQL has to enter it.
      Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
    Servers servers = new Servers(directory, givenRedisUrls, ownRedis, new ArrayList<>());
    begun.accept(servers);
    try {
      servers.launch(givenPgUrl);
      return servers;
    } catch (RuntimeException e) {
      servers.close();
      throw e;
    }
  }

  private synchronized void launch(@Nullable String givenPgUrl) {
    if (givenPgUrl != null) {
      pgUrl = givenPgUrl;
    } else if (directory != null) {
      EmbeddedPostgres started =
          EmbeddedPostgres.start(directory.resolve("postgres"), postgresOptions(notes));
      postgres = started;
      pgUrl = started.jdbcUrl("postgres");
    }
    if (ownRedis) {
      redisUrls(1);
      Path installed = installedRedis();
      notes.add(
          installed == null
              ? "Redis: the embedded one, for lack of an installed one; it is slower"
              : "Redis: installed, " + installed + "/redis-server, AOF everysec");
    }
  }

  private static StartOptions postgresOptions(List<String> notes) {
    StartOptions options =
        StartOptions.defaults()
            .withSetting("shared_buffers", "512MB")
            .withSetting("max_wal_size", "4GB")
            .withSetting("checkpoint_timeout", "30min");
    Path installed = installedPostgres();
    if (installed == null) {
      notes.add("PostgreSQL: the embedded one, for lack of an installed one");
      return options;
    }
    notes.add(
        "PostgreSQL: installed, "
            + installed
            + ", shared_buffers 512MB, max_wal_size 4GB, checkpoint_timeout 30min");
    return hasStatements(installed)
        ? options
            .withPrograms(installed)
            .withSetting("shared_preload_libraries", "pg_stat_statements")
        : options.withPrograms(installed);
  }

  private static @Nullable Path installedRedis() {
    return onPath("redis-server");
  }

  /** The directory above {@code bin/postgres}, the newest where there are several. */
  private static @Nullable Path installedPostgres() {
    List<Path> roots = new ArrayList<>();
    Path onPath = onPath("postgres");
    if (onPath != null) {
      roots.add(onPath.resolve("..").normalize());
    }
    if (Files.isDirectory(DEBIAN_POSTGRES)) {
      try (Stream<Path> versions = Files.list(DEBIAN_POSTGRES)) {
        versions.sorted(Comparator.comparingInt(Servers::number).reversed()).forEach(roots::add);
      } catch (IOException e) {
        return null;
      }
    }
    for (Path root : roots) {
      if (Files.isExecutable(root.resolve("bin/postgres"))
          && Files.isExecutable(root.resolve("bin/initdb"))) {
        return root;
      }
    }
    return null;
  }

  private static int number(Path version) {
    String name = version.getFileName().toString();
    return name.matches("\\d{1,4}") ? Integer.parseInt(name) : 0;
  }

  private static boolean hasStatements(Path root) {
    for (String folder : List.of("lib", "lib/postgresql")) {
      if (Files.exists(root.resolve(folder).resolve("pg_stat_statements.so"))) {
        return true;
      }
    }
    return false;
  }

  /** The directory with a program, links followed; null when it is not on the PATH. */
  private static @Nullable Path onPath(String program) {
    String path = System.getenv("PATH");
    if (path == null) {
      return null;
    }
    for (String part : path.split(File.pathSeparator, -1)) {
      if (!part.isEmpty() && Files.isExecutable(Path.of(part, program))) {
        return realFolder(Path.of(part, program));
      }
    }
    return null;
  }

  private static @Nullable Path realFolder(Path program) {
    try {
      return program.toRealPath().getParent();
    } catch (IOException e) {
      return null;
    }
  }

  /** A database of the server, on which others may be created. */
  public String pgUrl() {
    return pgUrl;
  }

  /**
   * The URLs of so many Redis servers; own ones that do not run yet are started.
   *
   * @param count at most those that were given, where they were
   */
  public synchronized List<String> redisUrls(int count) {
    while (ownRedis && directory != null && redisUrls.size() < count) {
      Path installed = installedRedis();
      StartOptions options = StartOptions.defaults();
      EmbeddedRedis server =
          EmbeddedRedis.start(
              directory.resolve("redis-" + redis.size()),
              installed == null ? options : options.withPrograms(installed));
      redis.add(server);
      redisUrls.add(server.url());
    }
    return List.copyOf(redisUrls.subList(0, count));
  }

  /** Where the servers that were started here keep their data; null when none was. */
  public @Nullable Path directory() {
    return directory;
  }

  /** Which programs run, one line each. */
  public List<String> notes() {
    return notes;
  }

  @Override
  public synchronized void close() {
    redis.forEach(EmbeddedRedis::close);
    if (postgres != null) {
      postgres.stopImmediately(); // its data is deleted, and need not be written first
      postgres.close();
    }
    if (directory != null) {
      try (Stream<Path> files = Files.walk(directory)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.deleteIfExists(file);
        }
      } catch (IOException e) {
        System.err.println("left behind: " + directory);
      }
    }
  }
}
