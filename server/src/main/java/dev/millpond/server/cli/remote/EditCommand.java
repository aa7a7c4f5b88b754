package dev.millpond.server.cli.remote;

import dev.millpond.server.cli.ExitCode;
import dev.millpond.server.cli.terminal.Terminal;
import dev.millpond.server.client.ApiJson;
import dev.millpond.server.client.Call;
import dev.millpond.server.client.CallException;
import dev.millpond.server.client.Reply;
import dev.millpond.server.http.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/**
 * {@code millpond dead-letters edit}. A text written in an editor is never lost: when it is
 * refused, its file stays and is named.
 */
@Command(
    name = "edit",
    description = {
      "Replaces a dead letter by a new job with another payload; jobs themselves never change.",
      "Without a payload it opens $VISUAL or $EDITOR with the old one."
    },
    sortOptions = false)
final class EditCommand extends RemoteCommand {
  @Parameters(
      paramLabel = "ID",
      converter = Converters.Id.class,
      description = "The dead job's id.")
  private String id = "";

  @Mixin private PayloadOptions payload = new PayloadOptions();

  static String path(String id) {
    return "/v1/dead-letters/" + Call.part(id);
  }

  @Override
  void check() {
    if (!payload.given() && (!terminal().interactive() || editor(terminal()).isEmpty())) {
      throw usage("Give --payload or --payload-file; an editor needs a terminal and $EDITOR");
    }
  }

  @Override
  int run(Session session) throws IOException, InterruptedException {
    String given = payload.read(session.terminal());
    return given == null ? withEditor(session) : send(session, given);
  }

  private int withEditor(Session session) throws IOException, InterruptedException {
    Reply.Done job = session.call(Call.get(GetJobCommand.path(id)));
    if (!ShowDeadLetterCommand.dead(session, job)) {
      return ExitCode.REFUSED;
    }
    String old = ApiJson.pretty(job.json().path("payload")) + "\n";
    Path file = Files.createTempFile("millpond-" + id + "-", ".json");
    boolean keep = false;
    try {
      Files.writeString(file, old);
      edit(session, file);
      String edited = Files.readString(file);
      if (edited.strip().equals(old.strip())) {
        session.note("Nothing changed");
        return ExitCode.OK;
      }
      keep = true;
      int code = send(session, PayloadOptions.checked(edited, file.toString()));
      keep = false;
      return code;
    } catch (InputException | CallException e) {
      if (keep) {
        session.note("Your text is kept in " + file + "; use it with --payload-file");
      }
      throw e;
    } finally {
      if (!keep) {
        Files.deleteIfExists(file);
      }
    }
  }

  /** Runs the user's editor on this terminal; its command may have arguments of its own. */
  private static void edit(Session session, Path file) throws IOException, InterruptedException {
    String editor = editor(session.terminal()).orElseThrow();
    Process process =
        new ProcessBuilder("sh", "-c", editor + " \"$1\"", "sh", file.toString())
            .inheritIO()
            .start();
    int code = process.waitFor();
    if (code != 0) {
      throw new InputException(
          "The editor " + editor + " ended with " + code + "; nothing was changed");
    }
  }

  private int send(Session session, @Nullable String json) throws InterruptedException {
    byte[] body =
        Json.write(out -> {
          out.writeStartObject();
          Json.raw(out, "payload", json);
          out.writeEndObject();
        });
    Reply.Done done = session.call(Call.patch(path(id), new String(body, StandardCharsets.UTF_8)));
    if (session.json()) {
      session.document(done.body());
    } else {
      session.line("Job " + Field.text(done.json(), "id") + " takes the place of " + id);
    }
    return ExitCode.OK;
  }

  private static Optional<String> editor(Terminal terminal) {
    return terminal.env("VISUAL").or(() -> terminal.env("EDITOR"));
  }
}
