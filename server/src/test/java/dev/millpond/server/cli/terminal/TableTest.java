package dev.millpond.server.cli.terminal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millpond.server.cli.terminal.Table.Layout;
import java.util.List;
import org.junit.jupiter.api.Test;

class TableTest {
  private final Table table =
      new Table()
          .column("ID", Layout.WHOLE)
          .column("N", Layout.NUMBER)
          .column("KIND", Layout.TEXT)
          .column("NOTE", Layout.TEXT);

  @Test
  void columnsAreAlignedWithoutBlanksAtTheEnd() {
    table.row("a", "1", "echo", "");
    table.row("bcd", "100", "漢字", "x");
    assertThat(table.lines(Integer.MAX_VALUE))
        .containsExactly("ID     N  KIND  NOTE", "a      1  echo", "bcd  100  漢字  x");
  }

  @Test
  void theWidestTextsGiveWayToTheTerminal() {
    table.row("0123456789", "1", "kind.of.twenty.chars", "a note of some thirty characters");
    List<String> lines = table.lines(50);
    assertThat(lines).allMatch(line -> PlainText.width(line) <= 50);
    assertThat(lines.get(1)).startsWith("0123456789  1  kind.of.").contains("…");
  }

  @Test
  void noLineIsWiderThanTheTerminal() {
    table.row("0123456789012345678901234567890123456789", "1", "kind", "漢字漢字漢字漢字漢字");
    for (int columns = 0; columns < 90; columns++) {
      int most = columns;
      assertThat(table.lines(columns)).allMatch(line -> PlainText.width(line) <= most);
    }
  }

  @Test
  void cellsCannotActOnTheTerminal() {
    table.row("a\u001b[2J", "1", "b\nc", "\u202e");
    assertThat(table.lines(100).get(1)).isEqualTo("a\\u001b[2J  1  b\\nc  \\u202e");
  }

  @Test
  void aRowOfAnotherLengthIsADefect() {
    assertThatThrownBy(() -> table.row("a")).isInstanceOf(IllegalArgumentException.class);
  }
}
