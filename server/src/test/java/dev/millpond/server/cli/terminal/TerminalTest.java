package dev.millpond.server.cli.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.server.support.CliRun;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TerminalTest {
  private static final String LINE = "id  dead  kind";

  @Test
  void onlyYesAgrees() throws IOException {
    for (String yes : new String[] {"y\n", "Yes\n", " y \r\n", "y"}) {
      assertThat(confirm(yes)).as(yes).isTrue();
    }
    for (String no : new String[] {"", "\n", "n\n", "yo\n", "\ny\n", "y".repeat(1_000)}) {
      assertThat(confirm(no)).as(no).isFalse();
    }
  }

  @Test
  void coloursAreForPeopleWhoDidNotRefuseThem() {
    assertThat(terminal(Map.of()).coloured(LINE)).isEqualTo("id  \u001b[31mdead\u001b[0m  kind");
    assertThat(terminal(Map.of("NO_COLOR", "1")).coloured(LINE)).isEqualTo(LINE);
    assertThat(terminal(Map.of("TERM", "dumb")).coloured(LINE)).isEqualTo(LINE);
    assertThat(Terminal.piped(Map.of(), CliRun.input("")).coloured(LINE)).isEqualTo(LINE);
  }

  @Test
  void linesAreCutForPeopleOnly() {
    assertThat(terminal(Map.of()).columns()).isEqualTo(80);
    assertThat(Terminal.piped(Map.of(), CliRun.input("")).columns()).isEqualTo(Integer.MAX_VALUE);
  }

  private static Terminal terminal(Map<String, String> env) {
    return Terminal.interactive(env, CliRun.input(""), 80);
  }

  private static boolean confirm(String typed) throws IOException {
    StringWriter out = new StringWriter();
    boolean answer =
        Terminal.interactive(Map.of(), CliRun.input(typed), 80)
            .confirm(new PrintWriter(out), "Sure?");
    assertThat(out.toString()).isEqualTo("Sure? [y/N] ");
    return answer;
  }
}
