package dev.millpond.chaos.fleet;

import dev.millpond.embedded.EmbeddedPostgres;
import dev.millpond.embedded.EmbeddedRedis;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.admission.Watermarks;
import dev.millpond.server.config.Role;
import dev.millpond.server.run.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * PostgreSQL, Redis and the processes of Millpond, all on one directory. Its members are kept
 * running by it; what happens to the servers is up to the faults. Thread-safe.
 */
public final class Fleet implements AutoCloseable {
  /** The database that members and ledger use. */
  public static final String DATABASE = "millpond";

  /** Longest start of one member while others start or a server is away. */
  public static final Duration UP_PATIENCE = Duration.ofSeconds(90);

  private static final Duration STOP_MOST = Duration.ofSeconds(30);

  /** A drain waits for writers that wait for a dead connection, and for the one after it. */
  private static final Duration STOP_MOST_WITH_PROXIES = Duration.ofSeconds(60);

  /** Eight JVMs, two servers and the clients share two cores. */
  private static final int HEAP_MEGABYTES = 128;

  private static final String DRAIN = "20s";
  private static final String STOPS_WITH_US = "--stop-on-stdin-eof";
  static final String LOG_LEVEL = "MILLPOND_LOG_LEVEL";

  private static final List<String> JVM =
      List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xss512k");

  private final FleetPlan plan;
  private final Servers servers;
  private final Wiring wiring;
  private final @Nullable Clocks clocks;
  private final Map<String, Member> members = new LinkedHashMap<>();

  /** From which each member is started next, where that is not the first version. */
  private final Map<String, Version> versions = new ConcurrentHashMap<>();

  private boolean closed;

  private Fleet(FleetPlan plan, Servers servers, Wiring wiring, Version first) {
    this.plan = plan;
    this.servers = servers;
    this.wiring = wiring;
    Path home = plan.data().resolve("members");
    this.clocks = plan.equipment().contains(Equipment.OWN_CLOCKS) ? Clocks.in(home) : null;
    for (Role role : Role.values()) {
      for (String name : plan.size().names(role)) {
        Map<String, String> environment = clocks == null ? Map.of() : clocks.environment(name);
        members.put(
            name,
            new Member(
                name,
                role,
                home,
                environment,
                port -> command(versions.getOrDefault(name, first), name, role, port)));
      }
    }
  }

  /**
   * Starts the servers and readies the database; {@link #startMembers} is next.
   *
   * @param maker of the ways from members to servers
   */
  public static Fleet start(FleetPlan plan, Wiring.Maker maker) throws IOException {
    return start(plan, maker, Version.own());
  }

  /**
   * Starts the servers and readies the database as a version does.
   *
   * @param first the version of schema and members, until that is changed
   */
  public static Fleet start(FleetPlan plan, Wiring.Maker maker, Version first) throws IOException {
    Files.createDirectories(plan.data().resolve("members"));
    Servers servers = Servers.start(plan.data(), plan.equipment());
    try {
      servers.postgres().createDatabase(DATABASE);
      String pgUrl = servers.postgres().jdbcUrl(DATABASE);
      Wiring wiring = maker.wire(pgUrl, servers.redis().url());
      Fleet fleet = new Fleet(plan, servers, wiring, first);
      fleet.migrate(first);
      return fleet;
    } catch (RuntimeException e) {
      servers.close();
      throw e;
    }
  }

  /**
   * Migrates the schema as somebody does who upgrades: by the version's own command.
   *
   * @throws FleetException when that fails
   */
  public void migrate(Version version) {
    if (version.equals(Version.own())) {
      Millpond.migrate(pgUrl());
      return;
    }
    List<String> arguments = List.of("migrate", "--pg-url", pgUrl());
    Shell.Ran ran = Shell.run(Map.of(), millpond(version, arguments));
    if (!ran.ok()) {
      throw new FleetException("migrate ended with " + ran.code() + ": " + ran.output());
    }
  }

  /** Has a member be of another version from its next start on. */
  public void upgrade(Member member, Version version) {
    versions.put(member.name(), version);
  }

  /** Starts a process that is to refuse to; what it says, and its exit code. */
  public Shell.Ran attempt(Role role, Version version) {
    List<String> command = new ArrayList<>(command(version, "attempt-" + role.wireName(), role, 0));
    command.remove(STOPS_WITH_US); // it has no standard input
    return Shell.run(Map.of(LOG_LEVEL, "INFO"), command, UP_PATIENCE);
  }

  /** Starts those members that do not run yet, and waits until they are up. */
  public void startMembers(Predicate<Member> which) throws InterruptedException {
    List<Member> started = members.values().stream().filter(which).toList();
    started.forEach(Member::start);
    for (Member member : started) {
      member.awaitUp(UP_PATIENCE);
    }
  }

  private List<String> command(Version version, String name, Role role, int port) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "server",
                STOPS_WITH_US,
                "--role",
                role.wireName(),
                "--pg-url",
                wiring.pgUrl(name),
                "--redis-urls",
                wiring.redisUrl(name),
                "--http-port",
                Integer.toString(port),
                "--run-file",
                plan.data().resolve("members").resolve(name + ".json").toString(),
                "--data-dir",
                plan.data().toString(),
                "--timing",
                plan.timing(),
                "--queue-high-watermark",
                "none",
                "--drain-timeout",
                DRAIN));
    if (role == Role.WORKER) {
      arguments.addAll(
          List.of(
              "--worker-slots",
              Integer.toString(plan.slots()),
              "--handlers",
              plan.handlers().toString()));
    }
    return millpond(version, arguments);
  }

  private List<String> millpond(Version version, List<String> arguments) {
    List<String> command = Processes.millpond(version.classPath(), HEAP_MEGABYTES, arguments);
    command.removeIf(word -> word.matches("-XX:(\\+Use\\w+GC|MaxNewSize=.*)"));
    command.addAll(1, JVM);
    plan.settings().forEach((key, value) -> command.add(1, "-D" + key + "=" + value));
    return version.fitted(command);
  }

  public FleetPlan plan() {
    return plan;
  }

  public EmbeddedPostgres postgres() {
    return servers.postgres();
  }

  public EmbeddedRedis redis() {
    return servers.redis();
  }

  /**
   * What PostgreSQL's data is on.
   *
   * @throws FleetException when that is no disk of its own
   */
  public BoundedDisk disk() {
    return Optional.ofNullable(servers.disk())
        .orElseThrow(() -> new FleetException("PostgreSQL has no disk of its own"));
  }

  /**
   * The clocks of its members.
   *
   * @throws FleetException when they have none of their own
   */
  public Clocks clocks() {
    return Optional.ofNullable(clocks)
        .orElseThrow(() -> new FleetException("Members have no clocks of their own"));
  }

  /** How long a member that is told to stop may take, drain included. */
  public Duration stopPatience() {
    return plan.equipment().contains(Equipment.PROXIES) ? STOP_MOST_WITH_PROXIES : STOP_MOST;
  }

  /** The ways from members to servers. */
  public Wiring wiring() {
    return wiring;
  }

  /** JDBC URL of the server itself. */
  public String pgUrl() {
    return postgres().jdbcUrl(DATABASE);
  }

  /** How a process of our own would join, by the servers' own addresses. */
  public MillpondConfig config() {
    return MillpondConfig.of(pgUrl())
        .withRedis(List.of(redis().url()))
        .withWatermarks(Watermarks.NONE);
  }

  public List<Member> members() {
    return List.copyOf(members.values());
  }

  public List<Member> members(Role role) {
    return members.values().stream().filter(member -> member.role() == role).toList();
  }

  /** The member of that name. */
  public Member member(String name) {
    return Optional.ofNullable(members.get(name))
        .orElseThrow(() -> new FleetException("There is no member " + name));
  }

  /**
   * Ends all members by SIGTERM, at once.
   *
   * @return who did not drain and exit with 0 in time, and how it ended instead; empty when all did
   */
  public Map<String, String> terminate(Duration within) {
    List<Thread> threads = new ArrayList<>();
    Map<String, String> wrong = new LinkedHashMap<>();
    for (Member member : members.values()) {
      threads.add(
          Thread.ofPlatform()
              .start(() -> {
                Optional<Integer> code = member.terminate(within);
                if (code.isEmpty() || code.get() != 0) {
                  synchronized (wrong) {
                    wrong.put(
                        member.name(),
                        code.map(number -> "ended with " + number)
                            .orElse("did not end within " + within));
                  }
                }
              }));
    }
    for (Thread thread : threads) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return Map.of("campaign", "interrupted");
      }
    }
    synchronized (wrong) {
      return wrong.entrySet().stream()
          .collect(Collectors.toUnmodifiableMap(Map.Entry::getKey, Map.Entry::getValue));
    }
  }

  /** Ends all of it, members without a drain. */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    members.values().forEach(Member::kill);
    wiring.close();
    servers.close();
  }
}
