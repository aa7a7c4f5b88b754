package dev.millpond.server.run;

import static dev.millpond.server.support.LiveServer.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.embedded.TestRedis;
import dev.millpond.embedded.TestServers;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.server.support.HandlerJar;
import dev.millpond.server.support.LiveServer;
import dev.millpond.server.support.ServerProcess;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import tools.jackson.databind.JsonNode;

/** The server as a process: what it is told on the command line, by its jars and by signals. */
@Execution(ExecutionMode.CONCURRENT)
@Order(1) // takes long: begins first
class ServerProcessIT {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** Says that it runs, and ends when it is let go. */
  private static final String GATE =
      """
      import java.nio.file.Files;
      import java.nio.file.Path;

      public final class Gate implements dev.millpond.api.HandlerModule {
        @Override
        public void register(dev.millpond.api.Handlers handlers) {
          handlers.registerHandler(
              "gate",
              String.class,
              (context, payload) -> {
                Path directory = Path.of(payload);
                Files.createFile(directory.resolve("started-" + context.attempt()));
                while (!Files.exists(directory.resolve("go"))) {
                  Thread.sleep(10);
                }
                return "through";
              });
        }
      }
      """;

  /** Says in which process it runs. */
  private static final String FORKED =
      """
      import dev.millpond.api.HandlerOptions;

      public final class Forked implements dev.millpond.api.HandlerModule {
        @Override
        public void register(dev.millpond.api.Handlers handlers) {
          handlers.registerHandler(
              "pid",
              String.class,
              (context, payload) -> ProcessHandle.current().pid(),
              HandlerOptions.DEFAULT.withExecutor(HandlerOptions.Executor.FORKED));
        }
      }
      """;

  /** Says that it registers, and goes on when the process is told to end. */
  private static final String SLOW =
      """
      import java.nio.file.Files;
      import java.nio.file.Path;

      public final class Slow implements dev.millpond.api.HandlerModule {
        @Override
        public void register(dev.millpond.api.Handlers handlers) {
          try {
            Files.createFile(Path.of("@here", "registers"));
            while (Thread.getAllStackTraces().keySet().stream()
                .noneMatch(thread -> thread.getName().equals("stop"))) {
              Thread.sleep(10);
            }
            Files.createFile(Path.of("@here", "told"));
          } catch (java.io.IOException | InterruptedException e) {
            throw new IllegalStateException(e);
          }
          handlers.registerHandler("slow", String.class, (context, payload) -> null);
        }
      }
      """;

  @TempDir private Path directory = Path.of("");

  @Test
  void sigtermLetsTheRunningJobFinishAndExitsWithZero() throws IOException, InterruptedException {
    String pgUrl = LiveServer.migratedDatabase();
    Path jar = HandlerJar.compile(directory, "Gate", GATE);
    try (TestRedis redis = TestServers.get().redis();
        ServerProcess server =
            ServerProcess.start(
                    directory, pgUrl, "--redis-urls", redis.url(), "--handlers", jar.toString())
                .awaitStart();
        ServerProcess witness =
            ServerProcess.start(directory, pgUrl, "--role=api", "--role=maintenance")
                .awaitStart()) {
      assertThat(server.run().get("pid").asLong()).isEqualTo(server.pid());
      assertThat(server.run().get("roles").toString())
          .isEqualTo("[\"api\",\"worker\",\"maintenance\"]");
      String id = submitGate(server);
      await().atMost(PATIENCE).until(() -> Files.exists(directory.resolve("started-1")));

      server.terminate();
      await().atMost(PATIENCE).until(() -> server.get("/health/ready").statusCode() == 503);
      assertThat(server.get("/health/live").statusCode()).isEqualTo(200);
      Files.createFile(directory.resolve("go"));

      assertThat(server.exitCode()).as(server::output).isZero();
      assertThat(server.runFile()).doesNotExist();
      JsonNode job = json(witness.get("/v1/jobs/" + id));
      assertThat(job.get("state").asString()).isEqualTo("succeeded");
      assertThat(job.get("result").asString()).isEqualTo("through");
      assertThat(job.get("attempt").asInt()).isEqualTo(1);
      witness.terminate();
      assertThat(witness.exitCode()).isZero();
      LiveServer.assertCleanBooks(MillpondConfig.of(pgUrl).withRedis(List.of(redis.url())));
    }
  }

  /** From the start of its worker on it runs jobs, before it has said that it serves. */
  @Test
  void sigtermWhileItStartsIsHeededOnceItHasStarted() throws IOException, InterruptedException {
    String pgUrl = LiveServer.migratedDatabase();
    Path jar = HandlerJar.compile(directory, "Slow", SLOW.replace("@here", directory.toString()));
    try (ServerProcess server =
        ServerProcess.start(directory, pgUrl, "--role=worker", "--handlers", jar.toString())) {
      await().atMost(PATIENCE).until(() -> Files.exists(directory.resolve("registers")));
      server.terminate();
      await().atMost(PATIENCE).until(() -> Files.exists(directory.resolve("told")));
      assertThat(server.exitCode()).as(server::output).isZero();
      assertThat(server.runFile()).doesNotExist();
      assertThat(directory.resolve("processes")).as("it did start, and left").isEmptyDirectory();
    }
    LiveServer.assertCleanBooks(MillpondConfig.of(pgUrl));
  }

  @Test
  void whatTheDrainCannotFinishIsHandedBackWithoutLosingAnAttempt()
      throws IOException, InterruptedException {
    String pgUrl = LiveServer.migratedDatabase();
    Path jar = HandlerJar.compile(directory, "Gate", GATE);
    String[] flags = {"--handlers", jar.toString(), "--drain-timeout=100ms"};
    String id;
    try (ServerProcess server = ServerProcess.start(directory, pgUrl, flags).awaitStart()) {
      id = submitGate(server);
      await().atMost(PATIENCE).until(() -> Files.exists(directory.resolve("started-1")));
      server.terminate();
      assertThat(server.exitCode()).as(server::output).isZero();
    }
    Files.delete(directory.resolve("started-1"));
    Files.createFile(directory.resolve("go"));
    Path forked = HandlerJar.compile(directory, "Forked", FORKED);
    flags[1] += "," + forked;
    try (ServerProcess server = ServerProcess.start(directory, pgUrl, flags).awaitStart()) {
      assertThat(succeeded(server, id).get("attempt").asInt()).isEqualTo(1);
      String child =
          json(server.post("/v1/jobs", "{\"kind\":\"pid\",\"payload\":\"\"}")).get("id").asString();
      long pid = succeeded(server, child).get("result").asLong();
      assertThat(pid).as("a handler of a jar in a process of its own").isNotEqualTo(server.pid());
      server.terminate();
      assertThat(server.exitCode()).as(server::output).isZero();
    }
    LiveServer.assertCleanBooks(MillpondConfig.of(pgUrl));
  }

  @Test
  void aPortInUseIsRefusedWithItsKey() throws IOException, InterruptedException {
    String pgUrl = LiveServer.migratedDatabase();
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        ServerProcess server =
            ServerProcess.start(directory, pgUrl, "--http-port=" + taken.getLocalPort())) {
      assertThat(server.exitCode()).isEqualTo(2);
      assertThat(server.output()).contains("millpond.http.port").doesNotContain("\tat ");
    }
    LiveServer.assertCleanBooks(MillpondConfig.of(pgUrl));
  }

  @Test
  void aJarWithoutHandlersIsRefusedWithWhatIsMissing() throws IOException, InterruptedException {
    String pgUrl = LiveServer.migratedDatabase();
    Path jar = HandlerJar.empty(directory.resolve("empty.jar"));
    try (ServerProcess server =
        ServerProcess.start(directory, pgUrl, "--handlers", jar.toString())) {
      assertThat(server.exitCode()).isEqualTo(2);
      assertThat(server.output())
          .contains("millpond.handlers", "empty.jar", "HandlerModule")
          .doesNotContain("\tat ");
    }
    LiveServer.assertCleanBooks(MillpondConfig.of(pgUrl));
  }

  @Test
  void aMissingSchemaIsRefusedWithTheRemedy() throws IOException, InterruptedException {
    String pgUrl = TestServers.get().freshDatabase();
    try (ServerProcess server = ServerProcess.start(directory, pgUrl)) {
      assertThat(server.exitCode()).isEqualTo(2);
      assertThat(server.output()).contains("migrate").doesNotContain("\tat ");
    }
  }

  @Test
  void postgresOutOfReachExitsWithThree() throws IOException, InterruptedException {
    try (ServerProcess server =
        ServerProcess.start(directory, "jdbc:postgresql://127.0.0.1:1/none?user=nobody")) {
      assertThat(server.exitCode()).isEqualTo(3);
      assertThat(server.output()).doesNotContain("\tat ");
    }
  }

  private static JsonNode succeeded(ServerProcess server, String id) {
    return await()
        .atMost(PATIENCE)
        .until(
            () -> json(server.get("/v1/jobs/" + id)),
            found -> found.get("state").asString().equals("succeeded"));
  }

  private String submitGate(ServerProcess server) throws IOException, InterruptedException {
    String payload = directory.toString().replace("\\", "\\\\");
    return json(server.post("/v1/jobs", "{\"kind\":\"gate\",\"payload\":\"" + payload + "\"}"))
        .get("id")
        .asString();
  }
}
