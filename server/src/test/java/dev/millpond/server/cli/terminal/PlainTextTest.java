package dev.millpond.server.cli.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PlainTextTest {
  @Test
  void whateverActsOnATerminalIsShownInstead() {
    assertThat(PlainText.line("\u001b[31m\u0007\u0000\u007f\u009b"))
        .isEqualTo("\\u001b[31m\\u0007\\u0000\\u007f\\u009b");
    assertThat(PlainText.line("a\r\n\tb")).isEqualTo("a\\r\\n\\tb");
    assertThat(PlainText.line("\u202e\u2066\u200b\u2028\ufeff"))
        .isEqualTo("\\u202e\\u2066\\u200b\\u2028\\ufeff");
    assertThat(PlainText.line("\ud800x")).isEqualTo("\\ud800x");
    assertThat(PlainText.line("\udb40\udc41")).isEqualTo("\\udb40\\udc41");
  }

  @Test
  void whatDoesNotActStays() {
    String text = "é ü 漢字 😀 \"\\u001b\" e\u0301";
    assertThat(PlainText.line(text)).isEqualTo(text);
  }

  @Test
  void linesStayLines() {
    assertThat(PlainText.lines("a\n\tat b\u001b\r\nc"))
        .containsExactly("a", "    at b\\u001b", "c");
  }

  @Test
  void jsonStaysTheSameValue() {
    assertThat(PlainText.json("{\n\t\"a\": \"\u009b\u202e\u007fé\"\n}"))
        .isEqualTo("{\n\t\"a\": \"\\u009b\\u202e\\u007fé\"\n}");
  }

  @Test
  void wideAndCombiningCharactersTakeTheirColumns() {
    assertThat(PlainText.width("abc")).isEqualTo(3);
    assertThat(PlainText.width("漢字")).isEqualTo(4);
    assertThat(PlainText.width("한")).isEqualTo(2);
    assertThat(PlainText.width("😀")).isEqualTo(2);
    assertThat(PlainText.width("e\u0301")).isEqualTo(1);
    assertThat(PlainText.width("—…é")).isEqualTo(3);
  }

  @Test
  void aCutTextFitsItsColumns() {
    assertThat(PlainText.cut("abcdef", 6)).isEqualTo("abcdef");
    assertThat(PlainText.cut("abcdefg", 6)).isEqualTo("abcde…");
    assertThat(PlainText.cut("漢字漢字", 6)).isEqualTo("漢字…");
    assertThat(PlainText.cut("漢字漢字", 4)).isEqualTo("漢…");
    assertThat(PlainText.cut("abc", 1)).isEqualTo("…");
    assertThat(PlainText.cut("abc", 0)).isEmpty();
  }
}
