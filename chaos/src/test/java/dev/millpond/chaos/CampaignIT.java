package dev.millpond.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/**
 * A campaign as small as it gets: one process of each role, a worker killed, its connections to
 * PostgreSQL reset, Redis emptied.
 */
class CampaignIT {
  @TempDir private Path directory = Path.of("");

  @Test
  @Timeout(180)
  void aSmallCampaignLosesNothingAndLeavesNothingBehind() {
    Path data = directory.resolve("campaign");
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine command =
        ChaosCommand.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
    int code =
        command.execute(
            "--fleet=1,1,1",
            "--seed=5",
            "--faults=3",
            "--kinds=worker-kill,redis-flushall,network-reset",
            "--rate=100",
            "--gap=100ms",
            "--data=" + data,
            "--json");
    assertThat(code).as(() -> out + "\n" + err).isZero();
    String[] lines = out.toString().strip().split("\n", -1);
    JsonNode end = new ObjectMapper().readTree(lines[lines.length - 1]);
    assertThat(end.path("clean").asBoolean(false)).isTrue();
    assertThat(end.path("faults").asInt(0)).isEqualTo(3);
    assertThat(end.path("kinds").propertyNames())
        .containsExactlyInAnyOrder("worker-kill", "redis-flushall", "network-reset");
    assertThat(end.path("acknowledged").asLong(0)).isPositive();
    assertThat(end.path("succeeded")).isEqualTo(end.path("jobs"));
    assertThat(Files.exists(data)).isFalse();
  }
}
