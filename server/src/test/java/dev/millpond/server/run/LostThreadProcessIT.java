package dev.millpond.server.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.server.cli.ExitCode;
import dev.millpond.server.support.HandlerJar;
import dev.millpond.server.support.LiveServer;
import dev.millpond.server.support.ServerProcess;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A server process in which an Error ends a thread ends too, and says which. */
@Execution(ExecutionMode.CONCURRENT)
class LostThreadProcessIT {
  /** Has the PostgreSQL driver throw in the thread that the payload names. */
  private static final String SABOTEUR =
      """
      import dev.millpond.api.Handlers;
      import java.util.logging.Level;
      import java.util.logging.Logger;

      public final class Saboteur implements dev.millpond.api.HandlerModule {
        static final Logger DRIVER = Logger.getLogger("org.postgresql.core.v3.QueryExecutorImpl");

        @Override
        public void register(Handlers handlers) {
          handlers.registerHandler("sabotage", String.class, (context, name) -> {
            DRIVER.setLevel(Level.FINEST);
            DRIVER.setFilter(record -> {
              if (Thread.currentThread().getName().equals(name)) {
                throw new NoClassDefFoundError("made by a test");
              }
              return false;
            });
            return null;
          });
        }
      }
      """;

  @TempDir private Path directory = Path.of("");

  /** The writer is needed for a drain; the maintenance is not. */
  @ParameterizedTest
  @CsvSource({"millpond-hot-lane, ends at once", "millpond-reaper, drains and ends"})
  void aProcessThatHasLostAThreadEndsWith70(String thread, String how) throws Exception {
    String pgUrl = LiveServer.migratedDatabase();
    Path jar = HandlerJar.compile(directory, "Saboteur", SABOTEUR);
    try (ServerProcess server =
        ServerProcess.start(directory, pgUrl, "--handlers", jar.toString())) {
      server.awaitStart();
      // More than one: the end of a job that took long to start does not go by the hot lane.
      String sabotage = "{\"kind\":\"sabotage\",\"payload\":\"" + thread + "\"}";
      await()
          .atMost(ServerProcess.PATIENCE)
          .pollInterval(Duration.ofMillis(100))
          .until(() -> !server.takes("/v1/jobs", sabotage));
      assertThat(server.exitCode()).as(server::output).isEqualTo(ExitCode.WORN_OUT);
      assertThat(server.output()).contains("Thread " + thread + " has ended by itself", how);
    }
  }
}
