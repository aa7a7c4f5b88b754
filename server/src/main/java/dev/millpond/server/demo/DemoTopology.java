package dev.millpond.server.demo;

import dev.millpond.embedded.EmbeddedPostgres;
import dev.millpond.embedded.EmbeddedRedis;
import dev.millpond.embedded.StartOptions;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.server.run.Processes;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/**
 * Everything the demo runs, on one directory: PostgreSQL, Redis, one process with the roles api and
 * maintenance, and worker processes under a {@link Supervisor}. The directory keeps PostgreSQL's
 * data between runs.
 */
final class DemoTopology implements AutoCloseable {
  static final String API = "api";

  private static final String DATABASE = "millpond";
  private static final Duration READY_PATIENCE = Duration.ofSeconds(90);
  private static final Duration POLL = Duration.ofMillis(50);

  /** Deaths before the first sign of life after which a child is given up. */
  private static final int DEATHS_AT_START_MAX = 3;

  /** Drain of the workers, and a little more. */
  private static final Duration STOP_PATIENCE = Duration.ofSeconds(15);

  private static final int HEAP_MEGABYTES = 512;

  private final Plan plan;
  private final Consumer<String> say;
  private final Supervisor supervisor;
  private final HttpClient http =
      HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build();
  private final ObjectMapper json = new ObjectMapper();
  private @Nullable EmbeddedPostgres postgres;
  private @Nullable EmbeddedRedis redis;
  private @Nullable String pgUrl;
  private volatile int apiPort;
  private boolean closed;

  /** A topology that is not started yet. */
  DemoTopology(Plan plan, Consumer<String> say) {
    this.plan = plan;
    this.say = say;
    this.supervisor = new Supervisor(say, STOP_PATIENCE);
    this.apiPort = plan.port();
  }

  /**
   * What to start.
   *
   * @param data absolute path of a directory, made when new
   * @param port of the API on 127.0.0.1; 0 takes a free one
   * @param workers how many worker processes
   * @param slots jobs each of them runs at once
   * @param timing {@code default} or {@code fast}
   * @param withRedis false for PostgreSQL alone
   * @param handlers jar that workers load
   * @param classPath of the processes
   */
  record Plan(
      Path data,
      int port,
      int workers,
      int slots,
      String timing,
      boolean withRedis,
      Path handlers,
      String classPath) {}

  /**
   * Starts all of it and returns when the API is ready and each worker has come up. Once.
   *
   * @throws DemoException when a part does not come up; what has been started is left to the close
   */
  void start() throws IOException {
    startServers();
    startProcesses();
  }

  /** Holds the lock of the close: a server in the middle of its start is stopped after it. */
  private synchronized void startServers() throws IOException {
    if (closed) {
      throw new DemoException("Stopped while starting");
    }
    Files.createDirectories(plan.data().resolve("logs"));
    if (plan.port() != 0) {
      requireFree(plan.port());
    }
    // Not stopped by their own exit hooks: the processes that use them have to end first.
    StartOptions options = StartOptions.defaults().withStopAtExit(false);
    EmbeddedPostgres startedPostgres =
        EmbeddedPostgres.start(plan.data().resolve("postgres"), options);
    postgres = startedPostgres;
    startedPostgres.createDatabase(DATABASE);
    pgUrl = startedPostgres.jdbcUrl(DATABASE);
    say.accept(
        "PostgreSQL %s on port %d, data in %s"
            .formatted(
                startedPostgres.version(),
                startedPostgres.port(),
                startedPostgres.dataDirectory()));
    if (plan.withRedis()) {
      EmbeddedRedis startedRedis = EmbeddedRedis.start(plan.data().resolve("redis"), options);
      redis = startedRedis;
      say.accept("Redis %s on port %d".formatted(startedRedis.version(), startedRedis.port()));
    }
    int migrations = Millpond.migrate(pgUrl());
    if (migrations > 0) {
      say.accept("Schema migrated: " + migrations + (migrations == 1 ? " step" : " steps"));
    }
  }

  private void startProcesses() throws IOException {
    Files.deleteIfExists(runFile(API));
    supervisor.start(
        new Supervisor.Spec(
            API,
            () -> server("api,maintenance", API, apiPort, List.of()),
            plan.data().resolve("logs/api.log")));
    for (int i = 1; i <= plan.workers(); i++) {
      String name = worker(i);
      Files.deleteIfExists(runFile(name));
      supervisor.start(
          new Supervisor.Spec(
              name,
              () -> server("worker", name, 0, workerFlags()),
              plan.data().resolve("logs/" + name + ".log")));
    }
    // A free port, once found, stays the same when the process is started again.
    apiPort = awaitUp(API).getPort();
    for (int i = 1; i <= plan.workers(); i++) {
      awaitUp(worker(i));
    }
  }

  private List<String> workerFlags() {
    return List.of(
        "--worker-slots",
        Integer.toString(plan.slots()),
        "--handlers",
        plan.handlers().toString(),
        "--drain-timeout",
        "10s");
  }

  private List<String> server(String role, String name, int port, List<String> more) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "server",
                "--stop-on-stdin-eof",
                "--role",
                role,
                "--pg-url",
                pgUrl(),
                "--http-bind",
                "127.0.0.1",
                "--http-port",
                Integer.toString(port),
                "--run-file",
                runFile(name).toString(),
                "--data-dir",
                plan.data().toString(),
                "--timing",
                plan.timing()));
    redisUrl().ifPresent(url -> arguments.addAll(List.of("--redis-urls", url)));
    arguments.addAll(more);
    return Processes.millpond(plan.classPath(), HEAP_MEGABYTES, arguments);
  }

  /** Waits until a process says that it is ready, and gives its address. */
  private URI awaitUp(String name) {
    long deadline = System.nanoTime() + READY_PATIENCE.toNanos();
    while (System.nanoTime() < deadline) {
      Optional<URI> address = address(name);
      if (address.isPresent() && answers(address.get().resolve("/health/ready"))) {
        return address.get();
      }
      if (supervisor.deaths(name) >= DEATHS_AT_START_MAX) {
        break;
      }
      pause();
    }
    throw new DemoException(
        "The process " + name + " does not come up. The end of its log:\n" + logTail(name));
  }

  /** Where a process listens, by its run file; empty until it has written one. */
  Optional<URI> address(String name) {
    try {
      JsonNode run = json.readTree(Files.readString(runFile(name)));
      return Optional.of(URI.create(run.path("url").stringValue()));
    } catch (IOException | JacksonException | IllegalArgumentException e) {
      return Optional.empty(); // Not written yet, or by a process that is gone.
    }
  }

  private boolean answers(URI uri) {
    try {
      HttpRequest request = HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(5)).build();
      return http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DemoException("Interrupted while starting", e);
    }
  }

  private static void pause() {
    try {
      Thread.sleep(POLL);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DemoException("Interrupted while starting", e);
    }
  }

  private static void requireFree(int port) {
    try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
      socket.setReuseAddress(true);
    } catch (IOException e) {
      throw new DemoException(
          "Port " + port + " is taken. Choose another with --port, or a free one with --port 0.",
          e);
    }
  }

  private Path runFile(String name) {
    return plan.data().resolve(name + ".json");
  }

  static String worker(int number) {
    return "worker-" + number;
  }

  URI url() {
    return URI.create("http://127.0.0.1:" + apiPort);
  }

  String pgUrl() {
    if (pgUrl == null) {
      throw new IllegalStateException("PostgreSQL has not been started");
    }
    return pgUrl;
  }

  Optional<String> redisUrl() {
    return Optional.ofNullable(redis).map(EmbeddedRedis::url);
  }

  /** How a process of our own joins the queue. */
  MillpondConfig config() {
    MillpondConfig config = MillpondConfig.of(pgUrl());
    return redisUrl().map(url -> config.withRedis(List.of(url))).orElse(config);
  }

  Supervisor supervisor() {
    return supervisor;
  }

  String logTail(String name) {
    return supervisor.logTail(name, 20);
  }

  /** Stops the processes, then Redis, then PostgreSQL. */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    supervisor.close();
    if (redis != null) {
      redis.close();
    }
    if (postgres != null) {
      postgres.close();
    }
  }
}
