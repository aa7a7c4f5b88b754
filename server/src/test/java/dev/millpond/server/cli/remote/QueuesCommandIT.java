package dev.millpond.server.cli.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.server.support.CliRun;
import dev.millpond.server.support.CliServer;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code queues} against a live server, found by its run file. */
class QueuesCommandIT {
  @Test
  void queuesAreListedAndShown(@TempDir Path directory) {
    try (CliServer server = new CliServer(directory)) {
      server.submit("nobody", "--queue", "deep");
      await()
          .atMost(CliServer.PATIENCE)
          .untilAsserted(() ->
              assertThat(server.run("queues", "list").out())
                  .containsPattern("(?m)^deep +1 +0 +0 +\\S+ +.*normal 1"));
      assertThat(server.run("queues", "list").out())
          .startsWith("QUEUE  DEPTH  SCHEDULED  DEAD  OLDEST  GATE  CLASSES\n");
      assertThat(server.run("queues", "list", "--json").json().get(0).get("name").asString())
          .isEqualTo("deep");
      assertThat(server.run("queues", "get", "deep").out())
          .contains("queue     deep", "depth     1", "CLASS")
          .containsPattern("(?m)^normal +1 +10$");
      assertThat(server.run("queues", "get", "deep", "--json").json().get("depth").asInt())
          .isEqualTo(1);
      CliRun none = server.run("queues", "get", "none");
      assertThat(none.code()).isEqualTo(4);
      assertThat(none.err()).contains("Queue not found: ", "-> queues list");

      CliRun byRunFile = CliRun.run("queues", "list", "--data-dir", directory.toString());
      assertThat(byRunFile.code()).as(byRunFile::err).isZero();
      CliRun byUrl =
          CliRun.run("queues", "list", "--url", server.live().server().url().toString() + "/");
      assertThat(byUrl.code()).as(byUrl::err).isZero();
    }
  }
}
