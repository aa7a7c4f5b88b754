package dev.millpond.server.cli.remote;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.server.support.CliRun;
import dev.millpond.server.support.CliServer;
import dev.millpond.server.support.LiveServer;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** {@code jobs why} and the API behind it. */
class WhyCommandIT {
  private static final String NOBODY = "00000000-0000-7000-8000-000000000000";

  @Test
  void aJobSaysWhyItIsNotRunning(@TempDir Path directory) throws Exception {
    try (CliServer server = new CliServer(directory)) {
      String delayed = server.submit("echo", "--delay", "1h");
      assertThat(server.run("jobs", "why", delayed).out())
          .startsWith("Job " + delayed + " is scheduled\n- It is delayed until ")
          .containsPattern("(?m)^-> It may start at ");
      String unknown = server.submit("nobody.runs.it");
      assertThat(server.run("jobs", "why", unknown).out())
          .contains("- No live worker takes jobs of kind nobody.runs.it\n");

      HttpResponse<String> answer = server.live().get("/v1/jobs/" + unknown + "/why");
      assertThat(answer.statusCode()).isEqualTo(200);
      JsonNode hold = LiveServer.json(answer).get("holds").get(0);
      assertThat(hold.get("type").asString()).isEqualTo("no-worker");
      assertThat(hold.get("kind").asString()).isEqualTo("nobody.runs.it");
      assertThat(server.run("jobs", "why", delayed, "--json").json().get("state").asString())
          .isEqualTo("scheduled");

      CliRun nobody = server.run("jobs", "why", NOBODY);
      assertThat(nobody.code()).isEqualTo(4);
      assertThat(server.live().get("/v1/jobs/x/why").statusCode()).isEqualTo(404);
    }
  }
}
