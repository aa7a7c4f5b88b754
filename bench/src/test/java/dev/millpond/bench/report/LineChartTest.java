package dev.millpond.bench.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.bench.scenario.Series.Point;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LineChartTest {
  @ParameterizedTest
  @CsvSource({"0,1", "1,1", "1.2,1.5", "87000,100000", "120000,150000", "600001,800000"})
  void anAxisEndsAtTheNextRoundNumber(double value, double end) {
    assertThat(LineChart.rounded(value)).isEqualTo(end);
  }

  @Test
  void aNameCannotBreakOutOfThePage() {
    LineChart chart = new LineChart("seconds", List.of());
    chart.add("<script>\"", "streams", false, List.of(new Point(0, 1), new Point(1, 2)));

    assertThat(chart.html("a & b")).doesNotContain("<script>").contains("a &amp; b");
  }
}
