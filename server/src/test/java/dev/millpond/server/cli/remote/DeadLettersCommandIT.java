package dev.millpond.server.cli.remote;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.server.cli.terminal.Terminal;
import dev.millpond.server.support.CliRun;
import dev.millpond.server.support.CliServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** {@code dead-letters} against a live server. */
@TestInstance(Lifecycle.PER_CLASS)
class DeadLettersCommandIT {
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
  void theListShowsWhatFailedAndHow() {
    String id = server.submitDead("listed", "1");
    CliRun run = server.run("dead-letters", "list", "--queue", "listed");
    assertThat(run.code()).as(run::err).isZero();
    assertThat(run.out().lines().toList().getFirst())
        .matches("JOB +KIND +QUEUE +TRIES +REASON +AGE +ERROR");
    assertThat(run.out().lines().toList().get(1))
        .startsWith(id + "  fatal.once  listed ")
        .contains("  fatal ", "  FatalJobException: a\\u001b[31mred");
    JsonNode json = server.run("dlq", "list", "--queue", "listed", "--json").json();
    assertThat(json.isArray()).isTrue();
    assertThat(json.get(0).get("jobId").asString()).isEqualTo(id);
  }

  @Test
  void theListGoesPageByPageOrToItsEnd() {
    Set<String> dead = new HashSet<>();
    for (int i = 0; i < 5; i++) {
      dead.add(server.submitDead("paged", "1"));
    }
    CliRun first = server.run("dlq", "list", "--queue", "paged", "--limit", "2", "--json");
    assertThat(first.json().size()).isEqualTo(2);
    assertThat(first.err()).matches("There is more: --cursor \\S+, or --all\\R");
    String cursor = first.err().replaceAll("(?s).*--cursor (\\S+),.*", "$1");
    CliRun rest =
        server.run(
            "dlq", "list", "--queue", "paged", "--limit", "500", "--cursor", cursor, "--json");
    assertThat(rest.json().size()).isEqualTo(3);
    assertThat(rest.err()).isEmpty();
    Set<String> listed = new HashSet<>();
    first.json().forEach(letter -> listed.add(letter.get("jobId").asString()));
    rest.json().forEach(letter -> listed.add(letter.get("jobId").asString()));
    assertThat(listed).isEqualTo(dead);

    CliRun all = server.run("dlq", "list", "--queue", "paged", "--all", "--json");
    assertThat(all.jsonLines()).hasSize(5);
    CliRun table = server.run("dlq", "list", "--queue", "paged", "--all");
    assertThat(table.out().lines()).hasSize(6);
  }

  @Test
  void anEmptyListSaysSo() {
    CliRun run = server.run("dlq", "list", "--queue", "nothing.here");
    assertThat(run.code()).isZero();
    assertThat(run.out()).isEmpty();
    assertThat(run.err()).isEqualTo("Nothing found\n");
    assertThat(server.run("dlq", "list", "--queue", "nothing.here", "--json").out())
        .isEqualTo("[]\n");
  }

  @Test
  void aDeadLetterIsShownWithItsStack() {
    String id = server.submitDead("shown", "{\"a\":1}");
    CliRun run = server.run("dead-letters", "show", id);
    assertThat(run.code()).as(run::err).isZero();
    assertThat(run.out())
        .contains(
            "state     dead: ", "payload   {\"a\":1}", "FatalJobException", "    at ", "TOKEN");
    assertThat(server.run("dlq", "show", id, "--json").json().get("state").asString())
        .isEqualTo("dead");
  }

  @Test
  void oneThatIsNotDeadIsRefused() {
    String id = server.submit("echo", "--delay", "1h");
    CliRun show = server.run("dlq", "show", id);
    assertThat(show.code()).isEqualTo(4);
    assertThat(show.err()).contains("Wrong state: Job " + id + " is scheduled");
    CliRun redrive = server.run("dlq", "redrive", id);
    assertThat(redrive.code()).isEqualTo(4);
    assertThat(redrive.err()).contains("Wrong state: ", "scheduled");
    assertThat(server.run("dlq", "show", NO_JOB).code()).isEqualTo(4);
  }

  @Test
  void severalAreRedrivenAndOneThatIsRefusedKeepsNoneBack() {
    String a = server.submitDead("redriven", "1");
    String b = server.submitDead("redriven", "2");
    CliRun run = server.run("dlq", "redrive", a, NO_JOB, b);
    assertThat(run.code()).isEqualTo(4);
    assertThat(run.out()).isEqualTo("Job " + a + " is runnable\nJob " + b + " is runnable\n");
    assertThat(run.err()).contains("There is no job " + NO_JOB);
    assertThat(server.run("jobs", "watch", a, "--for", "30s").code()).isZero();
    assertThat(server.run("jobs", "watch", b, "--for", "30s").code()).isZero();
  }

  @Test
  void aCommandLineThatCannotBeUsedExitsWithTwo() {
    String[][] lines = {
      {"dlq", "redrive"},
      {"dlq", "redrive", NO_JOB, "--queue", "mail"},
      {"dlq", "redrive", NO_JOB, "--all"},
      {"dlq", "edit", NO_JOB},
      {"dlq", "edit", NO_JOB, "--payload", "{"},
      {"dlq", "show"},
      {"dlq"}
    };
    for (String[] line : lines) {
      CliRun run = server.run(line);
      assertThat(run.code()).as(String.join(" ", line) + ": " + run.err()).isEqualTo(2);
      assertThat(run.err()).doesNotContain("\tat ").isNotBlank();
    }
  }

  @Test
  void manyAreRedrivenAfterAQuestionWithTheirCount() {
    for (int i = 0; i < 3; i++) {
      server.submitDead("bulk", "1");
    }
    String[] line = {"dlq", "redrive", "--queue", "bulk"};
    CliRun piped = server.run(line);
    assertThat(piped.code()).isEqualTo(2);
    assertThat(piped.err())
        .isEqualTo(
            """
            3 dead letters would be redriven
            -> Add --yes to redrive them: nobody can be asked here
            """);
    CliRun refused = server.run(person("n\n"), line);
    assertThat(refused.code()).isZero();
    assertThat(refused.err()).isEqualTo("Redrive 3 dead letters? [y/N] Nothing was redriven\n");
    assertThat(server.run("dlq", "list", "--queue", "bulk", "--json").json().size()).isEqualTo(3);

    CliRun agreed = server.run(person("y\n"), line);
    assertThat(agreed.code()).as(agreed::err).isZero();
    assertThat(agreed.out()).isEqualTo("3 dead letters redriven\n");
    CliRun none = server.run(line);
    assertThat(none.code()).isZero();
    assertThat(none.out()).isEqualTo("0 dead letters redriven\n");
  }

  @Test
  void yesAsksNothing() {
    String id = server.submitDead("bulk.yes", "1");
    CliRun run = server.run("dlq", "redrive", "--queue", "bulk.yes", "--error", "title", "--yes");
    assertThat(run.code()).as(run::err).isZero();
    assertThat(run.out()).isEqualTo("1 dead letter redriven\n");
    assertThat(server.run("jobs", "watch", id, "--for", "30s").code()).isZero();
    CliRun json = server.run("dlq", "redrive", "--queue", "bulk.yes", "--yes", "--json");
    assertThat(json.json().get("redriven").asInt()).isZero();
  }

  @Test
  void anEditedCopyTakesThePlaceOfADeadLetter() throws IOException {
    String id = server.submitDead("edited", "{\"a\":1}");
    CliRun run = server.run("dlq", "edit", id, "--payload", "{\"a\":2}", "--json");
    assertThat(run.code()).as(run::err).isZero();
    String copy = run.json().get("id").asString();
    assertThat(copy).isNotEqualTo(id);
    assertThat(server.run("jobs", "get", copy).out()).contains("payload   {\"a\":2}");
    CliRun again = server.run("dlq", "edit", id, "--payload", "3");
    assertThat(again.code()).isEqualTo(4);
    assertThat(again.err()).contains("Wrong state: ", "cancelled");

    String other = server.submitDead("edited", "1");
    Path file = Files.writeString(directory.resolve("payload.json"), "{\"b\":1}");
    CliRun fromFile = server.run("dlq", "edit", other, "--payload-file", file.toString());
    assertThat(fromFile.out()).matches("Job \\S+ takes the place of " + other + "\\R");
    assertThat(server.run("dlq", "edit", NO_JOB, "--payload", "1").code()).isEqualTo(4);
  }

  @Test
  void anEditorChangesThePayload() throws IOException {
    String id = server.submitDead("editor", "{\"a\":1}");
    CliRun unchanged = server.run(editor("true"), "dlq", "edit", id);
    assertThat(unchanged.code()).as(unchanged::err).isZero();
    assertThat(unchanged.err()).isEqualTo("Nothing changed\n");
    CliRun quit = server.run(editor("false"), "dlq", "edit", id);
    assertThat(quit.code()).isEqualTo(2);
    assertThat(quit.err()).contains("ended with 1; nothing was changed");

    Path broken = script("printf '{' > \"$1\"");
    CliRun kept = server.run(editor(broken.toString()), "dlq", "edit", id);
    assertThat(kept.code()).isEqualTo(2);
    assertThat(kept.err()).contains("is no JSON", "Your text is kept in ");
    Path text = Path.of(kept.err().replaceAll("(?s).*is kept in (\\S+);.*", "$1"));
    assertThat(text).hasContent("{");
    Files.delete(text);

    Path change = script("sed -i.old 's/1/2/' \"$1\"; rm -f \"$1.old\"");
    CliRun changed = server.run(editor(change + " --wait"), "dlq", "edit", id);
    assertThat(changed.code()).as(changed::err).isZero();
    String copy = changed.out().replaceAll("(?s)Job (\\S+) takes.*", "$1");
    assertThat(server.run("jobs", "get", copy).out()).contains("payload   {\"a\":2}");

    CliRun wrong = server.run(editor("true"), "dlq", "edit", id);
    assertThat(wrong.code()).isEqualTo(4);
    assertThat(wrong.err()).contains("Wrong state: ");
  }

  private Terminal person(String typed) {
    return Terminal.interactive(server.env(), CliRun.input(typed), 200);
  }

  private Terminal editor(String command) {
    return Terminal.interactive(server.env("EDITOR", command), CliRun.input(""), 200);
  }

  /** An editor that does this to the last of its arguments. */
  private Path script(String line) throws IOException {
    Path file = Files.createTempFile(directory, "editor", ".sh");
    Files.writeString(file, "#!/bin/sh\nwhile [ $# -gt 1 ]; do shift; done\n" + line + "\n");
    assertThat(file.toFile().setExecutable(true)).isTrue();
    return file;
  }
}
