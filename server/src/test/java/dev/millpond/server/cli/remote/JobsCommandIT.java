package dev.millpond.server.cli.remote;

import static dev.millpond.server.support.CliRun.input;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.server.cli.terminal.Terminal;
import dev.millpond.server.support.CliRun;
import dev.millpond.server.support.CliServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** {@code jobs} against a live server. */
@TestInstance(Lifecycle.PER_CLASS)
class JobsCommandIT {
  private static final String NO_JOB = "01990000-0000-7000-8000-000000000000";

  private CliServer server;
  private Path directory;

  @BeforeAll
  void start(@TempDir Path temporary) {
    directory = temporary;
    server = new CliServer(temporary);
  }

  @AfterAll
  void stop() {
    server.close();
  }

  @Test
  void aSubmitSaysTheJobsId() {
    CliRun run = server.run("jobs", "submit", "echo", "--payload", "{\"a\": 1.50}");
    assertThat(run.code()).as(run::err).isZero();
    assertThat(run.out()).matches("Job [0-9a-f-]{36} is accepted\\R");
    assertThat(run.err()).isEmpty();
  }

  @Test
  void aSubmitTakesEveryOption() {
    Instant due = Instant.parse("2030-01-31T08:30:00Z");
    String id =
        server.submit(
            "echo",
            "--queue",
            "mail",
            "--class",
            "high",
            "--run-at",
            "2030-01-31T09:30:00+01:00",
            "--max-attempts",
            "3",
            "--tag",
            "a",
            "--tag",
            "b",
            "--key",
            "k1",
            "--keep-result",
            "false",
            "--payload",
            "{\"to\":\"é\"}");
    JsonNode job = server.run("jobs", "get", id, "--json").json();
    assertThat(job.get("queue").asString()).isEqualTo("mail");
    assertThat(job.get("priorityClass").asString()).isEqualTo("high");
    assertThat(Instant.parse(job.get("runAt").asString())).isEqualTo(due);
    assertThat(job.get("maxAttempts").asInt()).isEqualTo(3);
    assertThat(job.get("tags").toString()).isEqualTo("[\"a\",\"b\"]");
    assertThat(job.get("keepResult").asBoolean()).isFalse();
    assertThat(job.get("payload").get("to").asString()).isEqualTo("é");
  }

  @Test
  void theSameKeyGivesTheSameJob() {
    String id = server.submit("echo", "--key", "k2", "--delay", "1h");
    CliRun again = server.run("jobs", "submit", "echo", "--key", "k2", "--delay", "1h");
    assertThat(again.code()).isZero();
    assertThat(again.out()).isEqualTo("Job " + id + " was there already; it is scheduled\n");
    CliRun other = server.run("jobs", "submit", "echo", "--key", "k2", "--payload", "2");
    assertThat(other.code()).isEqualTo(4);
    assertThat(other.err()).contains("Idempotency conflict: ", id, "-> Use a new idempotency key");
  }

  @Test
  void aPayloadComesFromAFileOrStandardInput() throws IOException {
    Path file = Files.writeString(directory.resolve("p.json"), "{\"from\":\"file\"}");
    String fromFile = server.submit("echo", "--payload-file", file.toString());
    assertThat(server.run("jobs", "get", fromFile).out()).contains("{\"from\":\"file\"}");
    for (String[] args :
        new String[][] {
          {"jobs", "submit", "echo", "-", "--json"},
          {"jobs", "submit", "echo", "--payload-file", "-", "--json"}
        }) {
      CliRun run = server.run(Terminal.piped(server.env(), input("{\"from\":\"pipe\"}")), args);
      assertThat(run.code()).as(run::err).isZero();
      assertThat(server.run("jobs", "get", run.json().get("id").asString()).out())
          .contains("{\"from\":\"pipe\"}");
    }
  }

  @Test
  void waitShowsTheResult() {
    CliRun run = server.run("jobs", "submit", "--wait", "echo", "--payload", "[1,\"x\"]");
    assertThat(run.code()).as(run::err).isZero();
    assertThat(run.out()).contains("is succeeded", "[1,\"x\"]");
    CliRun json = server.run("jobs", "submit", "echo", "--wait", "30s", "--json", "--payload", "7");
    assertThat(json.code()).isZero();
    assertThat(json.json().get("result").asInt()).isEqualTo(7);
  }

  @Test
  void waitExitsWithOneWhenTheJobFailsOrTakesTooLong() {
    CliRun dead = server.run("jobs", "submit", "fatal.once", "--wait");
    assertThat(dead.code()).isEqualTo(1);
    assertThat(dead.out()).contains("is dead: ", "\\u001b[31mred").doesNotContain("\u001b");
    CliRun slow = server.run("jobs", "submit", "nobody", "--wait", "200ms");
    assertThat(slow.code()).isEqualTo(1);
    assertThat(slow.out()).contains("is runnable");
    assertThat(slow.err()).contains("Not ended after 200ms");
  }

  @Test
  void fieldsThatTheServerRefusesAreNamed() {
    CliRun run = server.run("jobs", "submit", "Bad Kind");
    assertThat(run.code()).isEqualTo(4);
    assertThat(run.err()).contains("Invalid fields: 1 field cannot be used", "  /kind ");
    assertThat(run.out()).isEmpty();
  }

  @Test
  void aCommandLineThatCannotBeUsedExitsWithTwo() throws IOException {
    Path broken = Files.writeString(directory.resolve("broken.json"), "{\"a\":");
    String[][] lines = {
      {"jobs", "submit"},
      {"jobs", "submit", "echo", "--payload", "{\"a\":"},
      {"jobs", "submit", "echo", "--payload", "1 2"},
      {"jobs", "submit", "echo", "--payload", ""},
      {"jobs", "submit", "echo", "--payload-file", broken.toString()},
      {"jobs", "submit", "echo", "--payload-file", directory.resolve("none").toString()},
      {"jobs", "submit", "echo", "--payload", "1", "--payload-file", "x"},
      {"jobs", "submit", "echo", "+"},
      {"jobs", "submit", "echo", "-", "--payload", "1"},
      {"jobs", "submit", "echo", "--delay", "soon"},
      {"jobs", "submit", "echo", "--run-at", "tomorrow"},
      {"jobs", "submit", "echo", "--delay", "1s", "--run-at", "2030-01-31T08:30:00Z"},
      {"jobs", "submit", "echo", "--keep-result", "maybe"},
      {"jobs", "submit", "echo", "--max-attempts", "many"},
      {"jobs", "submit", "echo", "--commit-every", "10"},
      {"jobs", "submit", "echo", "--file", "x"},
      {"jobs", "submit", "--file", directory.resolve("none").toString()},
      {"jobs", "get"},
      {"jobs", "get", "../queues"},
      {"jobs", "get", "--timeout", "never", NO_JOB},
      {"jobs", "list", "--limit", "0"},
      {"jobs", "list", "--since", "then"},
      {"jobs", "set", NO_JOB},
      {"jobs", "watch", NO_JOB, "--queue", "mail"},
      {"jobs", "cancel"},
      {"jobs", "lits"},
      {"jobs"},
      {"jobs", "get", "--url", "ftp://x", NO_JOB}
    };
    for (String[] line : lines) {
      CliRun run = server.run(line);
      assertThat(run.code()).as(String.join(" ", line) + ": " + run.err()).isEqualTo(2);
      assertThat(run.err()).doesNotContain("\tat ").isNotBlank();
      assertThat(run.out()).isEmpty();
    }
  }

  @Test
  void aJobIsShownInWords() {
    String id = server.submit("echo", "--payload", "{\"x\":1}", "--tag", "t", "--wait");
    CliRun run = server.run("jobs", "get", id);
    assertThat(run.code()).as(run::err).isZero();
    assertThat(run.out())
        .contains(
            "id        " + id,
            "kind      echo",
            "queue     default, class normal",
            "state     succeeded",
            "tags      t",
            "payload   {\"x\":1}",
            "result    {\"x\":1}",
            " ago)");
  }

  @Test
  void whatAJobCarriesDoesNotActOnTheTerminal() {
    String id = server.submitDead("nasty", "\"\\u001b[2J\\u009b\"");
    for (String[] args :
        new String[][] {
          {"jobs", "get", id},
          {"jobs", "get", id, "--stack"},
          {"dlq", "show", id},
          {"dlq", "list", "--queue", "nasty"}
        }) {
      CliRun run = server.run(args);
      assertThat(run.code()).as(run::err).isZero();
      assertThat(run.out())
          .doesNotContainPattern("[\\p{Cntrl}&&[^\\n]]")
          .doesNotContain("\u009b", "\u202e")
          .contains("\\u001b[31mred");
    }
    assertThat(server.run("jobs", "get", id, "--json").out())
        .doesNotContainPattern("[\\p{Cntrl}&&[^\\n]]")
        .doesNotContain("\u009b", "\u202e");
    assertThat(
            server.run("jobs", "get", id, "--json").json().get("error").get("message").asString())
        .isEqualTo(CliServer.NASTY);
  }

  @Test
  void anUnknownIdIsRefused() {
    for (String[] args :
        new String[][] {
          {"jobs", "get", NO_JOB},
          {"jobs", "get", "not-an-id"},
          {"jobs", "log", NO_JOB},
          {"jobs", "watch", NO_JOB}
        }) {
      CliRun run = server.run(args);
      assertThat(run.code()).as(String.join(" ", args)).isEqualTo(4);
      assertThat(run.err()).contains("Job not found: There is no job " + args[2]);
    }
  }

  @Test
  void aFileIsSubmittedAllOrNone() throws IOException {
    Path good =
        Files.writeString(
            directory.resolve("good.ndjson"),
            "{\"kind\":\"echo\",\"payload\":1}\n{\"kind\":\"echo\",\"payload\":2}\n");
    CliRun run = server.run("jobs", "submit", "--file", good.toString(), "--key", "file-1");
    assertThat(run.code()).as(run::err).isZero();
    assertThat(run.out()).isEqualTo("2 jobs are accepted\n");
    CliRun again = server.run("jobs", "submit", "--file", good.toString(), "--key", "file-1");
    assertThat(again.out()).isEqualTo("2 jobs are accepted; 2 of them were there already\n");
    CliRun json = server.run("jobs", "submit", "--file", good.toString(), "--json");
    assertThat(json.json().get("jobs").size()).isEqualTo(2);

    long before = server.live().jobs();
    Path bad =
        Files.writeString(
            directory.resolve("bad.ndjson"), "{\"kind\":\"echo\"}\n{\"kind\":\"Bad Kind\"}\n");
    CliRun refused = server.run("jobs", "submit", "--file", bad.toString());
    assertThat(refused.code()).isEqualTo(4);
    assertThat(refused.err()).contains("Invalid fields: ", "/kind ", "(job 1 of the batch)");
    assertThat(server.live().jobs()).isEqualTo(before);
  }

  @Test
  void aFileInChunksShowsItsReceipts() {
    String five = "{\"kind\":\"echo\"}\n".repeat(5);
    CliRun run =
        server.run(
            Terminal.piped(server.env(), input(five)),
            "jobs",
            "submit",
            "--file",
            "-",
            "--commit-every",
            "2");
    assertThat(run.code()).as(run::err).isZero();
    assertThat(run.out())
        .isEqualTo(
            """
            Chunk 0: 2 jobs are accepted, from 0
            Chunk 1: 2 jobs are accepted, from 2
            Chunk 2: 1 job is accepted, from 4
            All: 5 jobs are accepted
            """);
    CliRun broken =
        server.run(
            Terminal.piped(server.env(), input(five + "{\"kind\":\n")),
            "jobs",
            "submit",
            "--file",
            "-",
            "--commit-every",
            "2",
            "--json");
    assertThat(broken.code()).isEqualTo(4);
    assertThat(broken.jsonLines()).hasSize(2);
    assertThat(broken.jsonLines().get(1).get("first").asInt()).isEqualTo(2);
    assertThat(broken.jsonLines().get(1).get("ids").size()).isEqualTo(2);
    assertThat(broken.err())
        .contains("Chunk 2 of -, from job 4 on, failed; 4 jobs are accepted", "Malformed json: ");
  }

  @Test
  void theListTakesEveryFilter() {
    String id =
        server.submit("nobody", "--queue", "filtered", "--tag", "red", "--payload", "{\"size\":7}");
    server.submit("echo", "--queue", "filtered", "--payload", "{\"size\":3}");
    server.submit("nobody", "--queue", "elsewhere", "--delay", "1h");
    String dead = server.submitDead("filtered", "{}");
    String[][] filters = {
      {"--kind", "nobody"},
      {"--tag", "red"},
      {"--payload", "$.size > 5"},
      {"--state", "runnable", "--kind", "nobody"},
      {"--since", "1h", "--tag", "red"},
      {"--until", "2099-01-01T00:00:00+02:00", "--tag", "red"}
    };
    for (String[] filter : filters) {
      List<String> line = new ArrayList<>(List.of("jobs", "list", "--json", "--queue", "filtered"));
      line.addAll(List.of(filter));
      CliRun run = server.run(line.toArray(String[]::new));
      assertThat(run.code()).as(String.join(" ", filter) + run.err()).isZero();
      assertThat(run.json().size()).as(String.join(" ", filter)).isEqualTo(1);
      assertThat(run.json().get(0).get("id").asString()).isEqualTo(id);
    }
    CliRun byError = server.run("jobs", "list", "--queue", "filtered", "--error", "title");
    assertThat(byError.out().lines().toList()).hasSize(2);
    assertThat(byError.out().lines().toList().getFirst())
        .matches("ID +STATE +KIND +QUEUE +CLASS +TRY +AGE +NOTE");
    assertThat(byError.out().lines().toList().getLast())
        .startsWith(dead + "  dead   fatal.once  filtered  normal ")
        .contains("  FatalJobException: a\\u001b[31mred");
    assertThat(server.run("jobs", "list", "--queue", "elsewhere").out())
        .contains("scheduled")
        .containsPattern("due in (59|60)m");
    assertThat(server.run("jobs", "list", "--queue", "filtered", "--since", "1ms").err())
        .isEqualTo("Nothing found\n");
  }

  @Test
  void filtersThatTheServerRefusesAreNamed() {
    String[][] lines = {
      {"jobs", "list", "--state", "runing"},
      {"jobs", "list", "--payload", "$$$("},
      {"jobs", "list", "--cursor", "x"},
      {"jobs", "list", "--queue", "Bad Queue"}
    };
    for (String[] line : lines) {
      CliRun run = server.run(line);
      assertThat(run.code()).as(String.join(" ", line)).isEqualTo(4);
      assertThat(run.err()).startsWith("Invalid").doesNotContain("\tat ");
    }
  }

  @Test
  void theListFollowsItsCursor() throws IOException {
    Path file =
        Files.writeString(
            directory.resolve("many.ndjson"),
            "{\"kind\":\"nobody\",\"queue\":\"many\"}\n".repeat(1_200));
    assertThat(server.run("jobs", "submit", "--file", file.toString()).code()).isZero();
    CliRun some = server.run("jobs", "list", "--queue", "many", "--limit", "700", "--json");
    assertThat(some.json().size()).isEqualTo(700);
    String cursor = some.err().replaceAll("(?s).*--cursor (\\S+),.*", "$1");
    CliRun rest =
        server.run("jobs", "list", "--queue", "many", "--all", "--json", "--cursor", cursor);
    Set<String> ids = new HashSet<>();
    some.json().forEach(job -> ids.add(job.get("id").asString()));
    rest.jsonLines().forEach(job -> ids.add(job.get("id").asString()));
    assertThat(ids).hasSize(1_200);
    assertThat(rest.err()).isEmpty();
  }

  @Test
  void watchFollowsAJobToItsEnd() throws Exception {
    try (CliServer own = new CliServer(Files.createDirectory(directory.resolve("watched")))) {
      String id = own.submit("gated", "--payload", "1");
      await()
          .atMost(CliServer.PATIENCE)
          .until(() -> own.run("jobs", "log", id).out().contains("a line"));
      CliRun log = own.run("jobs", "log", id);
      assertThat(log.out()).matches("\\S+Z  a line a\\\\u001b.*\\R").doesNotContain("\u001b");
      assertThat(own.run("jobs", "log", id, "--json").jsonLines().getFirst().get("text").asString())
          .isEqualTo("a line " + CliServer.NASTY);
      await()
          .atMost(CliServer.PATIENCE)
          .until(() -> own.run("jobs", "get", id, "--json").json().has("progress"));

      CliRun unfinished = own.run("jobs", "watch", id, "--for", "300ms");
      assertThat(unfinished.code()).isEqualTo(1);
      assertThat(unfinished.err()).isEqualTo("Not ended yet; it goes on\n");
      assertThat(unfinished.out())
          .containsPattern("\\d\\d:\\d\\d:\\d\\d  running  attempt 1  40 % halfway a")
          .contains("  a line a")
          .doesNotContain("\u001b");

      CompletableFuture<CliRun> watching =
          CompletableFuture.supplyAsync(() -> own.run("jobs", "watch", id));
      own.open();
      CliRun watched = watching.get(60, TimeUnit.SECONDS);
      assertThat(watched.code()).as(watched::err).isZero();
      assertThat(watched.out()).contains("  succeeded  attempt 1").containsOnlyOnce("  a line a");

      CliRun json = own.run("jobs", "watch", id, "--json");
      assertThat(json.jsonLines()).hasSize(2);
    }
  }

  @Test
  void watchExitsWithOneWhenTheJobFails() {
    String id = server.submitDead("watched.dead", "1");
    CliRun run = server.run("jobs", "watch", id);
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.out()).contains("  dead  attempt 1  FatalJobException: a\\u001b");
  }

  @Test
  void watchWithFiltersShowsTheChangesOfAList() {
    String id = server.submit("nobody", "--queue", "watched", "--delay", "1h");
    CliRun run = server.run("jobs", "watch", "--queue", "watched", "--for", "300ms");
    assertThat(run.code()).isZero();
    assertThat(run.out().lines().toList()).hasSize(1);
    assertThat(run.out()).contains("  " + id + "  nobody  scheduled  attempt 1  due ");
    CliRun json = server.run("jobs", "watch", "--queue", "watched", "--for", "300ms", "--json");
    assertThat(json.jsonLines()).hasSize(1);
  }

  @Test
  void waitingJobsAreCancelledAndEndedOnesAreNot() {
    String a = server.submit("nobody", "--delay", "1h");
    String b = server.submit("nobody", "--delay", "1h");
    CliRun run = server.run("jobs", "cancel", a, NO_JOB, b);
    assertThat(run.code()).isEqualTo(4);
    assertThat(run.out()).isEqualTo("Job " + a + " is cancelled\nJob " + b + " is cancelled\n");
    assertThat(run.err()).contains("There is no job " + NO_JOB);
    CliRun again = server.run("jobs", "cancel", a);
    assertThat(again.code()).isEqualTo(4);
    assertThat(again.err()).contains("Wrong state: Job " + a + " is cancelled");
    assertThat(server.run("jobs", "watch", a).code()).isEqualTo(1);
  }

  @Test
  void aRunningJobIsToldToStop() throws IOException {
    try (CliServer own = new CliServer(Files.createDirectory(directory.resolve("cancelled")))) {
      String id = own.submit("gated");
      await()
          .atMost(CliServer.PATIENCE)
          .until(() -> own.run("jobs", "get", id, "--json").json().has("progress"));
      CliRun run = own.run("jobs", "cancel", id);
      assertThat(run.code()).as(run::err).isZero();
      assertThat(run.out())
          .isEqualTo("Job " + id + " was told to stop; jobs watch shows when it has\n");
      CliRun watched = own.run("jobs", "watch", id, "--for", "30s");
      assertThat(watched.code()).isEqualTo(1);
      assertThat(watched.out()).contains("  cancelled  ");
    }
  }

  @Test
  void aScheduledJobRunsNow() {
    String id = server.submit("echo", "--delay", "1h");
    CliRun run = server.run("jobs", "run-now", id);
    assertThat(run.code()).as(run::err).isZero();
    assertThat(run.out()).startsWith("Job " + id + " is ");
    assertThat(server.run("jobs", "watch", id, "--for", "30s").code()).isZero();
    CliRun again = server.run("jobs", "run-now", id, "--json");
    assertThat(again.code()).isEqualTo(4);
    assertThat(again.out()).isEmpty();
    assertThat(again.err()).contains("Wrong state: ", "succeeded");
    assertThat(server.run("jobs", "run-now", NO_JOB).code()).isEqualTo(4);
  }

  @Test
  void classAndTimeOfAWaitingJobAreSet() {
    String id = server.submit("nobody", "--delay", "1h");
    CliRun run = server.run("jobs", "set", id, "--class", "critical", "--delay", "2h");
    assertThat(run.code()).as(run::err).isZero();
    assertThat(run.out()).isEqualTo("Job " + id + " is changed: class critical, due in 119m\n");
    JsonNode job =
        server.run("jobs", "set", id, "--run-at", "2030-01-01T00:00:00Z", "--json").json();
    assertThat(job.get("priorityClass").asString()).isEqualTo("critical");
    assertThat(job.get("runAt").asString()).isEqualTo("2030-01-01T00:00:00Z");
    CliRun refused = server.run("jobs", "set", id, "--class", "No Class");
    assertThat(refused.code()).isEqualTo(4);
    assertThat(refused.err()).contains("/priorityClass ");
    assertThat(server.run("jobs", "cancel", id).code()).isZero();
    assertThat(server.run("jobs", "set", id, "--delay", "1s").code()).isEqualTo(4);
  }
}
