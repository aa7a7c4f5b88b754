package dev.millpond.server.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class MillpondCommandTest {
  @TempDir private Path directory = Path.of("");

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @Test
  void helpListsTheCommandsAndTheirFlags() {
    assertThat(run("--help")).isZero();
    assertThat(out.toString()).contains("server", "migrate", "doctor", "demo");
    assertThat(run("server", "--help")).isZero();
    assertThat(out.toString()).contains("--pg-url", "--handlers", "--timing-lease", "--config");
  }

  @Test
  void theVersionIsShown() {
    assertThat(run("--version")).isZero();
    assertThat(out.toString()).contains("millpond", "Java");
  }

  @Test
  void anUnknownFlagIsRefusedWithTheNearest() {
    assertThat(run("server", "--pg-ulr", "x")).isEqualTo(2);
    assertThat(err.toString()).contains("Unknown flag --pg-ulr; nearest: --pg-url");
  }

  @Test
  void anUnknownCommandIsRefusedWithTheNearest() {
    assertThat(run("servre")).isEqualTo(2);
    assertThat(err.toString()).contains("nearest: server");
  }

  @Test
  void aMissingCommandIsRefused() {
    assertThat(run()).isEqualTo(2);
  }

  @Test
  void aBadValueIsRefusedWithItsKeyValueAndRange() {
    assertThat(run("server", "--pg-url", "jdbc:postgresql://x", "--http-port", "70000"))
        .isEqualTo(2);
    assertThat(err.toString())
        .contains("millpond.http.port is \"70000\"; allowed: 0 to 65535 (set by --http-port)");
  }

  @Test
  void aPasswordInAUrlIsNotShown() {
    assertThat(run("migrate", "--pg-url", "jdbc:postgres://h/d?user=u&password=secret&x=y"))
        .isEqualTo(2);
    assertThat(
            run("server", "--pg-url", "jdbc:postgresql://h/d", "--redis-urls", "http://u:secret@h"))
        .isEqualTo(2);
    assertThat(err.toString())
        .contains("password=***&x=y", "http://u:***@h")
        .doesNotContain("secret");
  }

  @Test
  void aBindBeyondLoopbackIsRefused() {
    assertThat(run("server", "--pg-url", "jdbc:postgresql://x", "--http-bind", "0.0.0.0"))
        .isEqualTo(2);
    assertThat(err.toString()).contains("millpond.http.bind");
  }

  @Test
  void anUnknownKeyInTheFileIsRefused() throws IOException {
    Path file = Files.writeString(directory.resolve("a.properties"), "millpond.pg.ur=x\n");
    assertThat(run("migrate", "--config", file.toString())).isEqualTo(2);
    assertThat(err.toString()).contains("nearest: millpond.pg.url");
  }

  private int run(String... args) {
    CommandLine command = MillpondCommand.commandLine();
    command.setOut(new PrintWriter(out, true));
    command.setErr(new PrintWriter(err, true));
    return command.execute(args);
  }
}
