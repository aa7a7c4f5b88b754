package dev.millpond.server.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ProgressLineTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);

  @Test
  void withoutATerminalThereIsALineASecondAtMostAndOneAtTheEnd() {
    ProgressLine line = new ProgressLine(out, false, 100);

    line.update(10);
    line.update(20);
    line.update(20);
    line.update(100);
    line.end();

    assertThat(text().lines().toList())
        .satisfiesExactly(
            first -> assertThat(first).startsWith("10/100 jobs  10 %"),
            last -> assertThat(last).startsWith("100/100 jobs  100 %").doesNotContain("ETA"));
    assertThat(text()).doesNotContain("\u001b", "\r");
  }

  @Test
  void onATerminalTheBarIsDrawnOverItselfAndOtherLinesStandAboveIt() {
    ProgressLine line = new ProgressLine(out, true, 100);

    line.update(50);
    line.say("worker-1 ended");
    line.update(100);
    line.end();

    assertThat(text())
        .contains("\r[##############..............] 50/100 jobs  50 %")
        .contains("\r\u001b[Kworker-1 ended")
        .contains("\r[############################] 100/100 jobs  100 %");
  }

  private String text() {
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
