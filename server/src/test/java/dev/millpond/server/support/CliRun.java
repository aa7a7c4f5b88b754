package dev.millpond.server.support;

import dev.millpond.server.cli.MillpondCommand;
import dev.millpond.server.cli.terminal.Terminal;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;

/**
 * A command line that ran in this JVM.
 *
 * @param code its exit code
 * @param out what it printed
 * @param err what it said on its error output
 */
public record CliRun(int code, String out, String err) {
  /** Runs the program between pipes, without input. */
  public static CliRun run(String... args) {
    return run(Terminal.piped(Map.of(), InputStream.nullInputStream()), args);
  }

  public static CliRun run(Terminal terminal, String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine command = MillpondCommand.commandLine(terminal);
    command.setOut(new PrintWriter(out, true));
    command.setErr(new PrintWriter(err, true));
    return new CliRun(command.execute(args), out.toString(), err.toString());
  }

  /** What a pipe holds. */
  public static InputStream input(String text) {
    return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
  }

  /** The output as one JSON document. */
  public JsonNode json() {
    return LiveServer.json(out);
  }

  /** The output as JSON, one document a line. */
  public List<JsonNode> jsonLines() {
    return out.lines().map(LiveServer::json).toList();
  }
}
