package dev.millpond.bench.scale;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The machine's own PostgreSQL and Redis, each on a host of its own, listening to the other hosts
 * alone. Durability is the default: fsync, synchronous_commit and full_page_writes are on, AOF
 * everysec. Files are in a temporary folder that is deleted at the end.
 */
final class HostServers implements AutoCloseable {
  static final int POSTGRES_PORT = 5432;
  static final int REDIS_PORT = 6379;

  /** PostgreSQL refuses to run as root. */
  private static final List<String> AS_NOBODY =
      List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups");

  /** Hosts of the same network, which nobody else can reach. */
  private static final String HOST_BASED_ACCESS =
      """
      host all millpond samenet trust
      local all all trust
      """;

  private static final long START_NANOS = 60_000_000_000L;

  private final Hosts hosts;
  private final Path folder;
  private final List<HostProcess> servers = new ArrayList<>();

  private HostServers(Hosts hosts, Path folder) {
    this.hosts = hosts;
    this.folder = folder;
  }

  /** What is missing here; null when nothing is. */
  static @Nullable String obstacle() {
    if (Programs.postgres() == null) {
      return "an installed PostgreSQL is needed (postgres and initdb, on PATH or from Debian)";
    }
    for (String program : List.of("redis-server", "setpriv", "kill")) {
      if (!Programs.onPath(program)) {
        return "the program " + program + " is needed on PATH";
      }
    }
    return null;
  }

  /** Starts them; the first host is PostgreSQL's. */
  static HostServers start(Hosts hosts, String postgresHost, List<String> redisHosts) {
    HostServers servers;
    try {
      Path folder = Files.createTempDirectory("millpond-scale-");
      Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
      servers = new HostServers(hosts, folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    try {
      servers.startPostgres(postgresHost);
      for (String host : redisHosts) {
        servers.startRedis(host);
      }
      return servers;
    } catch (IOException e) {
      servers.close();
      throw new UncheckedIOException(e);
    } catch (RuntimeException e) {
      servers.close();
      throw e;
    }
  }

  private void startPostgres(String host) throws IOException {
    Path programs = Programs.postgres();
    if (programs == null) {
      throw new IllegalStateException(String.valueOf(obstacle()));
    }
    Path data = Files.createDirectory(folder.resolve(host));
    Files.setAttribute(data, "unix:uid", 65_534);
    Files.setAttribute(data, "unix:gid", 65_534);
    Hosts.Ran made =
        Hosts.run(
            asNobody(
                programs.resolve("initdb").toString(),
                "-D",
                data.toString(),
                "-U",
                "millpond",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync"));
    if (!made.ok()) {
      throw new IllegalStateException("initdb: " + made.text());
    }
    Files.writeString(data.resolve("pg_hba.conf"), HOST_BASED_ACCESS);
    List<String> command =
        asNobody(
            programs.resolve("postgres").toString(),
            "-D",
            data.toString(),
            "-p",
            Integer.toString(POSTGRES_PORT),
            "-h",
            hosts.address(host),
            "-c",
            "unix_socket_directories=",
            "-c",
            "shared_buffers=512MB",
            "-c",
            "max_wal_size=4GB",
            "-c",
            "max_connections=200");
    servers.add(HostProcess.server(host, hosts.on(host, command), log(host)));
    awaitPort(host, POSTGRES_PORT);
  }

  private static List<String> asNobody(String... command) {
    return Stream.concat(AS_NOBODY.stream(), Stream.of(command)).toList();
  }

  private void startRedis(String host) throws IOException {
    Path data = Files.createDirectory(folder.resolve(host));
    List<String> command =
        List.of(
            "redis-server",
            "--bind",
            hosts.address(host),
            "--port",
            Integer.toString(REDIS_PORT),
            "--protected-mode",
            "no",
            "--save",
            "",
            "--appendonly",
            "yes",
            "--appendfsync",
            "everysec",
            "--dir",
            data.toString());
    servers.add(HostProcess.server(host, hosts.on(host, command), log(host)));
    awaitPort(host, REDIS_PORT);
  }

  /** Looks at the host's own table of listening sockets: this JVM cannot connect to it. */
  private void awaitPort(String host, int port) {
    HostProcess server = servers.getLast();
    String entry = ":%04X ".formatted(port);
    long until = System.nanoTime() + START_NANOS;
    while (!listens(server.pid(), entry)) {
      if (System.nanoTime() > until || !server.alive()) {
        throw new IllegalStateException("no server on " + host + "; its log: " + log(host));
      }
      LockSupport.parkNanos(20_000_000);
    }
  }

  private static boolean listens(long pid, String entry) {
    try {
      return Files.readAllLines(Path.of("/proc", Long.toString(pid), "net", "tcp")).stream()
          .anyMatch(line -> line.contains(entry) && line.contains(" 0A "));
    } catch (IOException e) {
      return false;
    }
  }

  /** Where a process on a host writes what it has to say. */
  Path log(String host) {
    return folder.resolve(host + ".log");
  }

  /** The process id of PostgreSQL's parent process. */
  private long postgresPid() {
    return servers.getFirst().pid();
  }

  /**
   * What PostgreSQL's host has received and sent so far.
   *
   * @param inBytes with all headers but those of the wire itself, as are those sent
   */
  record Traffic(long inBytes, long inPackets, long outBytes, long outPackets) {
    static final Traffic NONE = new Traffic(0, 0, 0, 0);

    Traffic since(Traffic before) {
      return new Traffic(
          inBytes - before.inBytes,
          inPackets - before.inPackets,
          outBytes - before.outBytes,
          outPackets - before.outPackets);
    }
  }

  /** Counted by the host's own interface; nothing when the system does not tell. */
  Traffic postgresTraffic() {
    Path counters = Path.of("/proc", Long.toString(postgresPid()), "net", "dev");
    try {
      for (String line : Files.readAllLines(counters)) {
        String[] part = line.strip().split("[:\\s]+", -1);
        if (part[0].equals("eth0")) {
          return new Traffic(
              Long.parseLong(part[1]),
              Long.parseLong(part[2]),
              Long.parseLong(part[9]),
              Long.parseLong(part[10]));
        }
      }
    } catch (IOException e) {
      return Traffic.NONE;
    }
    return Traffic.NONE;
  }

  @Override
  public void close() {
    servers.reversed().forEach(HostProcess::close);
    servers.clear();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      System.err.println("left behind: " + folder);
    }
  }
}
