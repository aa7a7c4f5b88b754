package dev.millpond.server.cli.remote;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.server.support.CliRun;
import dev.millpond.server.support.CliServer;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code weights} and {@code queues set} against a live server. */
class WeightsCommandIT {
  @Test
  void weightsAreSetShownAndReset(@TempDir Path directory) {
    try (CliServer server = new CliServer(directory)) {
      CliRun set = server.run("weights", "set", "mail", "critical=50", "normal=20");
      assertThat(set.code()).as(set::err).isZero();
      assertThat(set.out())
          .startsWith("CLASS     WEIGHT  SHARE  CONFIGURED\n")
          .containsPattern("(?m)^critical +50 +50 % +60$")
          .containsPattern("(?m)^high +30 +30 % +30$")
          .containsPattern("(?m)^normal +20 +20 % +10$");
      assertThat(server.run("weights", "get", "mail").out()).isEqualTo(set.out());
      assertThat(
              server
                  .run("weights", "get", "mail", "--json")
                  .json()
                  .get("weights")
                  .get("critical")
                  .asInt())
          .isEqualTo(50);
      assertThat(server.run("weights", "reset", "mail").out())
          .containsPattern("(?m)^critical +60 +60 % +60$");

      refused(server, 4, "/weights/boss is no priority class", "weights", "set", "mail", "boss=1");
      refused(server, 4, "must be 1 to 10000, is 0", "weights", "set", "mail", "high=0");
      refused(server, 2, "CLASS=WEIGHT", "weights", "set", "mail", "high");
      refused(server, 2, "CLASS=WEIGHT", "weights", "set", "mail", "=3");
      refused(server, 2, "CLASS=WEIGHT", "weights", "set", "mail", "high=some");
      refused(server, 2, "given twice", "weights", "set", "mail", "high=1", "high=2");
      refused(server, 2, "CLASS=WEIGHT", "weights", "set", "mail");
      refused(server, 4, "Queue not found", "weights", "get", "none");
      refused(server, 4, "Queue not found", "weights", "reset", "none");
      refused(server, 2, "A command is missing", "weights");
      settingsOfAQueue(server);
      pauses(server);
      limits(server);
    }
  }

  private static void settingsOfAQueue(CliServer server) {
    CliRun set = server.run("queues", "set", "mail", "--weight", "300", "--aging", "30s");
    assertThat(set.code()).as(set::err).isZero();
    assertThat(set.out()).contains("weight    300", "aging     PT30S");
    assertThat(server.run("queues", "get", "mail").out()).isEqualTo(set.out());
    CliRun back = server.run("queues", "set", "mail", "--weight", "default", "--json");
    assertThat(back.json().get("weight").asInt()).isEqualTo(100);
    assertThat(back.json().get("aging").asString()).isEqualTo("PT30S");
    CliRun none = server.run("queues", "set", "mail", "--aging", "default");
    assertThat(none.out()).doesNotContain("aging");

    CliRun marks =
        server.run("queues", "set", "mail", "--high-watermark", "500", "--low-watermark", "50");
    assertThat(marks.out()).contains("500 / 50");
    assertThat(server.run("queues", "set", "mail", "--high-watermark", "none").out())
        .contains("marks     none");
    refused(server, 2, "whole number or default", "queues", "set", "mail", "--high-watermark", "x");

    refused(server, 4, "must be 1 to 10000, is 0", "queues", "set", "mail", "--weight", "0");
    refused(server, 4, "must be PT1S to PT24H", "queues", "set", "mail", "--aging", "10ms");
    refused(server, 2, "whole number or default", "queues", "set", "mail", "--weight", "much");
    refused(server, 2, "default or a duration", "queues", "set", "mail", "--aging", "soon");
    refused(server, 2, "Nothing to set", "queues", "set", "mail");
  }

  private static void limits(CliServer server) {
    CliRun set = server.run("limits", "set", "mail", "--concurrency", "10", "--rate", "100/1s");
    assertThat(set.code()).as(set::err).isZero();
    assertThat(set.out())
        .contains("queue        mail", "concurrency  10", "rate         100 per PT1S, burst 100");
    assertThat(server.run("limits", "get", "mail").out()).contains("running      0");
    CliRun kind =
        server.run(
            "limits", "set", "report", "--kind", "--rate", "5/10s", "--burst", "9", "--json");
    assertThat(kind.json().get("rate").get("burst").asInt()).isEqualTo(9);
    assertThat(server.run("limits", "reset", "mail", "--json").json().has("concurrency")).isFalse();
    assertThat(server.run("limits", "reset", "report", "--kind").code()).isZero();

    refused(server, 2, "Nothing to set", "limits", "set", "mail");
    refused(server, 2, "PERMITS/DURATION", "limits", "set", "mail", "--rate", "much");
    refused(server, 4, "must be 1 to 100000, is 0", "limits", "set", "mail", "--concurrency", "0");
  }

  private static void pauses(CliServer server) {
    CliRun pause = server.run("queues", "pause", "mail", "--reason", "bounces", "--by", "ann");
    assertThat(pause.code()).as(pause::err).isZero();
    assertThat(pause.out()).contains("paused    true", "by        ann", "reason    bounces");
    assertThat(server.run("kinds", "pause", "report").code()).isZero();
    assertThat(server.run("tags", "pause", "eu", "--json").json().get("tag").asString())
        .isEqualTo("eu");
    assertThat(server.run("queues", "get", "mail").out()).contains("reason    bounces");
    assertThat(server.run("pauses", "list").out())
        .startsWith("WHAT   NAME ")
        .containsPattern("(?m)^queue +mail +[^ ]+Z +ann +bounces$")
        .containsPattern("(?m)^kind +report ")
        .containsPattern("(?m)^tag +eu ");
    assertThat(server.run("queues", "resume", "mail").out()).contains("paused    false");
    assertThat(server.run("kinds", "resume", "report").code()).isZero();
    assertThat(server.run("tags", "resume", "eu").code()).isZero();
    assertThat(server.run("pauses", "list", "--json").json()).isEmpty();

    refused(server, 4, "/tag must match", "tags", "pause", "Eu");
    refused(server, 4, "1 to 500 characters", "tags", "pause", "e", "--reason", "x".repeat(501));
    refused(server, 2, "Missing required parameter", "tags", "pause");
  }

  private static void refused(CliServer server, int code, String why, String... args) {
    CliRun run = server.run(args);
    assertThat(run.code()).as(run::err).isEqualTo(code);
    assertThat(run.err()).contains(why);
  }
}
