package dev.millpond.bench.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.bench.http.HttpShape.Form;
import dev.millpond.bench.http.HttpShape.Template;
import java.nio.charset.StandardCharsets;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class HttpShapeTest {
  private static final Pattern NUMBER = Pattern.compile("\"at\":\"(\\d+)\"");

  @ParameterizedTest
  @EnumSource(Form.class)
  void aRequestSaysTheLengthOfItsBodyAndNumbersItsJobs(Form form) {
    int jobs = form == Form.ONE ? 1 : 3;
    Template template = new HttpShape(form, jobs, 1).template("");
    template.number(98);
    String request = new String(template.bytes(), StandardCharsets.US_ASCII);
    String[] parts = request.split("\r\n\r\n", 2);
    assertThat(parts[0]).contains("Content-Length: " + parts[1].length());
    assertThat(NUMBER.matcher(parts[1]).results().map(HttpShapeTest::number).toList())
        .startsWith(98L)
        .hasSize(jobs)
        .doesNotHaveDuplicates();
  }

  @Test
  void numbersGoUpFromTheFirst() {
    Template template = new HttpShape(Form.LIST, 3, 1).template("");
    template.number(1_000_000);
    template.number(98);
    String request = new String(template.bytes(), StandardCharsets.US_ASCII);
    assertThat(NUMBER.matcher(request).results().map(HttpShapeTest::number))
        .containsExactly(98L, 99L, 100L);
  }

  private static long number(MatchResult result) {
    return Long.parseLong(result.group(1));
  }
}
