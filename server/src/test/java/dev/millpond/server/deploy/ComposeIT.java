package dev.millpond.server.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.embedded.TestRedis;
import dev.millpond.embedded.TestServers;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.support.HandlerJar;
import dev.millpond.server.support.LiveServer;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The topology of compose.yaml without a container engine: each of our containers as a process with
 * the environment, the command and the health check that the file gives it. Other than there: the
 * addresses of PostgreSQL and Redis, free ports, short leases.
 */
class ComposeIT {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  /** Of each role, as in the file. */
  private static final int ALL = 2;

  /**
   * Of each role; {@code -Dmillpond.compose.each=2} for all, of which one of each role is killed.
   */
  private static final int EACH = Integer.getInteger("millpond.compose.each", 1);

  private static final String SECRET = "secret";

  /** Jobs that a test submits at once. */
  private static final int PAGE = 100;

  /** More than one worker takes. */
  private static final int HELD = 60;

  private static final Pattern SERVICE_HOST = Pattern.compile("//(?:[^/@]*@)?([a-z]+):\\d+");

  /** Notes in which process it runs, and waits for the word where it is told to. */
  private static final String HANDLERS =
      """
      import java.nio.file.Files;
      import java.nio.file.Path;

      public final class Noted implements dev.millpond.api.HandlerModule {
        @Override
        public void register(dev.millpond.api.Handlers handlers) {
          for (String kind : new String[] {"noted", "held"}) {
            handlers.registerHandler(
                kind,
                String.class,
                (context, payload) -> {
                  Path directory = Path.of(payload);
                  String run = kind + "." + ProcessHandle.current().pid() + "." + context.jobId();
                  Files.write(directory.resolve(run), new byte[0]);
                  while (kind.equals("held") && !Files.exists(directory.resolve("go"))) {
                    Thread.sleep(10);
                  }
                  return null;
                });
          }
        }
      }
      """;

  private final Map<String, ContainerProcess> running = new LinkedHashMap<>();

  @TempDir private Path directory = Path.of("");

  @Test
  void theTopologyTakesJobsRunsThemAndStopsInTime() throws Exception {
    Path ledger = Files.createDirectory(directory.resolve("ledger"));
    Compose compose =
        Compose.read(
            Map.of(
                "POSTGRES_PASSWORD",
                SECRET,
                "MILLPOND_APP_PASSWORD",
                SECRET,
                "REDIS_PASSWORD",
                SECRET,
                "GRAFANA_PASSWORD",
                SECRET,
                "MILLPOND_HANDLERS",
                HandlerJar.compile(directory, "Noted", HANDLERS).toString()));
    String admin = TestServers.get().freshDatabase();
    Roles.make(admin, "millpond");
    Roles.make(admin, "millpond_app");
    String owner = Roles.as(admin, "millpond");
    try (TestRedis redis = TestServers.get().redis();
        RedisUser user = new RedisUser(redis.url())) {
      Here here = new Here(compose, admin, redis.url());
      once(compose, "migrate", here, List.of());
      Roles.execute(owner, Files.readString(grants(compose)));
      String key =
          once(compose, "migrate", here, List.of("keys", "create", "root", "--scope", "admin"));
      assertThat(compose.servers())
          .containsExactly(
              "api-1", "api-2", "worker-1", "worker-2", "maintenance-1", "maintenance-2");
      for (String name : compose.servers()) {
        if (Integer.parseInt(name.replaceAll("\\D", "")) <= EACH) {
          running.put(name, start(compose, name, here, List.of()));
        }
      }
      running.values().forEach(each -> each.awaitHealthy(compose));
      for (int n = 1; n <= EACH; n++) {
        submit("api-" + n, key, "noted", PAGE, ledger);
      }
      await().atMost(PATIENCE).until(() -> ended(owner) == (long) EACH * PAGE);
      if (EACH == ALL) {
        killOneOfEach(key, ledger);
        await().atMost(PATIENCE).until(() -> ended(owner) == 3 * PAGE + HELD);
      }
      stopTheOthers();
      assertThat(user.refused()).as("commands that Redis has refused").isEmpty();
      LiveServer.assertCleanBooks(MillpondConfig.of(owner).withRedis(List.of(redis.url())));
    } finally {
      running.values().forEach(ContainerProcess::close);
    }
  }

  /** Its jobs are run by others, also those that it held. */
  private void killOneOfEach(String key, Path ledger) throws Exception {
    submit("api-1", key, "held", HELD, ledger);
    Set<Long> workers = Set.of(process("worker-1").pid(), process("worker-2").pid());
    await().atMost(PATIENCE).until(() -> holders(ledger).equals(workers));
    process("api-1").kill();
    process("worker-1").kill();
    process(leader()).kill();
    submit("api-2", key, "noted", PAGE, ledger);
    Files.createFile(ledger.resolve("go"));
  }

  private void stopTheOthers() throws InterruptedException {
    List<ContainerProcess> left =
        running.values().stream().filter(ContainerProcess::isAlive).toList();
    assertThat(left).hasSize(3);
    left.forEach(ContainerProcess::terminate);
    for (ContainerProcess each : left) {
      each.awaitEnd();
    }
  }

  /** What has another address on this machine than in the network of the containers. */
  private record Here(Compose compose, String pgUrl, String redisUrl) {
    /** The settings of a container that say where others are. */
    Map<String, String> of(Compose.Container container, Path volume) {
      String dataDir = ConfigKey.DATA_DIR.env();
      assertThat(container.mounts().keySet().contains(container.environment().get(dataDir)))
          .as("%s has a volume at its %s", container.name(), dataDir)
          .isEqualTo(!container.check().isEmpty());
      Map<String, String> settings = new HashMap<>();
      settings.put("PATH", System.getenv("PATH"));
      settings.put(dataDir, volume.toString());
      settings.put(ConfigKey.HTTP_PORT.env(), "0");
      settings.put(ConfigKey.TIMING.env(), "fast");
      container
          .environment()
          .forEach((name, value) -> {
            var host = SERVICE_HOST.matcher(value);
            if (host.find()) {
              assertThat(compose.has(host.group(1))).as("%s: %s", name, value).isTrue();
              settings.put(name, translated(value));
            }
          });
      return settings;
    }

    private String translated(String value) {
      URI postgres = URI.create(pgUrl.substring("jdbc:".length()));
      URI redis = URI.create(redisUrl);
      return value
          .replace(
              "//postgres:5432/millpond?",
              "//" + postgres.getHost() + ":" + postgres.getPort() + postgres.getPath() + "?")
          .replace("@redis:6379", "@" + redis.getHost() + ":" + redis.getPort());
    }
  }

  private ContainerProcess start(Compose compose, String name, Here here, List<String> command)
      throws IOException {
    Compose.Container container = compose.container(name);
    Path volume = directory.resolve(name);
    return ContainerProcess.start(container, volume, here.of(container, volume), command);
  }

  /** Runs a container to its end; what it prints. */
  private String once(Compose compose, String name, Here here, List<String> command)
      throws IOException, InterruptedException {
    try (ContainerProcess process = start(compose, name, here, command)) {
      return process.printed();
    }
  }

  /** The file that the service runs by psql. */
  private static Path grants(Compose compose) {
    List<String> words = compose.command("grants");
    assertThat(words).startsWith("psql");
    return compose.mounted("grants", words.get(words.indexOf("-f") + 1));
  }

  private ContainerProcess process(String name) {
    ContainerProcess found = running.get(name);
    assertThat(found).as(name).isNotNull();
    return found;
  }

  private void submit(String api, String key, String kind, int jobs, Path ledger)
      throws IOException, InterruptedException {
    String job = "{\"kind\":\"%s\",\"payload\":\"%s\"}".formatted(kind, ledger);
    var answer =
        process(api)
            .post(
                "/v1/jobs/batch",
                "[" + String.join(",", Collections.nCopies(jobs, job)) + "]",
                key);
    assertThat(answer.statusCode()).as(answer::body).isEqualTo(202);
  }

  /** The processes in which jobs are held. */
  private static Set<Long> holders(Path ledger) throws IOException {
    try (Stream<Path> files = Files.list(ledger)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.startsWith("held."))
          .map(name -> Long.valueOf(name.split("\\.", -1)[1]))
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  /** Who leads, by what Prometheus would read. */
  private String leader() {
    return await()
        .atMost(PATIENCE)
        .until(
            () ->
                Stream.of("maintenance-1", "maintenance-2")
                    .filter(this::leads)
                    .findFirst()
                    .orElse(""),
            name -> !name.isEmpty());
  }

  private boolean leads(String name) {
    try {
      return process(name)
          .get("/metrics")
          .lines()
          .anyMatch(line -> line.startsWith("millpond_leader 1"));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private static long ended(String pgUrl) throws SQLException {
    try (Connection connection = DriverManager.getConnection(pgUrl);
        Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT count(*) FROM millpond.job_outcome WHERE outcome = 'succeeded'")) {
      row.next();
      return row.getLong(1);
    }
  }
}
