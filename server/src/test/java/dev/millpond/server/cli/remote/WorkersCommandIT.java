package dev.millpond.server.cli.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.server.support.CliRun;
import dev.millpond.server.support.CliServer;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code workers} against a live server. */
class WorkersCommandIT {
  @Test
  void workersAreListedDrainedAndResumed(@TempDir Path directory) {
    try (CliServer server = new CliServer(directory)) {
      CliRun listed = server.run("workers", "list");
      assertThat(listed.out()).startsWith("WORKER").contains("active", "echo fatal.once gated");
      String id = server.run("workers", "list", "--json").json().get(0).get("id").asString();

      CliRun drain = server.run("workers", "drain", id, "--by", "ann", "--reason", "new host");

      assertThat(drain.out())
          .isEqualTo("Worker " + id + " drains; workers list shows when it has\n");
      await()
          .atMost(CliServer.PATIENCE)
          .untilAsserted(() ->
              assertThat(server.run("workers", "list").out()).contains("drained", "ann: new host"));
      assertThat(server.run("workers", "resume", id).out())
          .isEqualTo("Worker " + id + " takes jobs again\n");
      await()
          .atMost(CliServer.PATIENCE)
          .untilAsserted(() -> assertThat(server.run("workers", "list").out()).contains("active"));

      CliRun nobody = server.run("workers", "drain", "00000000-0000-7000-8000-000000000000");
      assertThat(nobody.code()).isEqualTo(4);
      assertThat(nobody.err()).contains("There is no worker", "GET /v1/workers lists them");
    }
  }
}
