package dev.millpond.server.http.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millpond.server.http.problem.ProblemException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonReaderTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "null",
        "true",
        "false",
        "0",
        "-1",
        "12345678901234567890123456789",
        "1.50",
        "-1.5e300",
        "1E+308",
        "1e-308",
        "\"\"",
        "\"a\\n\\u00e9\\ud83d\\ude00 \u00e9 \ud83d\ude00\"",
        "[]",
        "[ 1 ,\t\"a\" , null ]",
        "{}",
        "{ \"a\" : { \"b\" : [ 1.0 , {} ] } ,\n \"c\" : \"\\\\u0000\" }",
      })
  void aValueIsTakenAsItsSenderWroteIt(String value) {
    assertThat(raw(value)).isEqualTo(value);
    String inside = "{\"x\": " + value + " ,\"y\":1}";
    assertThat(field(inside)).isEqualTo(value);
    assertThat(field("{\"x\":" + value + "}")).isEqualTo(value);
  }

  @Test
  void aLongTextIsTakenWhole() {
    String value = "\"" + "ab\\u00e9".repeat(30_000) + "\"";
    assertThat(field("{\"x\":" + value + "}")).isEqualTo(value);
  }

  @Test
  void sixtyFourLevelsAreTakenAndNotOneMore() {
    String deepest = "[".repeat(64) + "]".repeat(64);
    assertThat(raw(deepest)).isEqualTo(deepest);
    refused("[".repeat(65) + "]".repeat(65));
    refused("{\"x\":" + "[".repeat(65) + "]".repeat(65) + "}");
    refused("[".repeat(100_000));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "{",
        "[1",
        "\"a",
        "nul",
        "{\"a\":1,\"a\":2}",
        "{\"b\":{\"a\":1,\"\\u0061\":2}}",
        "NaN",
        "-Infinity",
        "[1,]",
        "{\"a\":1,}",
        "[,1]",
        "01",
        "+1",
        ".5",
        "1.",
        "0x1",
        "/* */ 1",
        "// a\n1",
        "# a\n1",
        "'a'",
        "{a:1}",
        "1 2",
        "{} x",
        "\"\\u0000\"",
        "\"a\u0000b\"",
        "\"a\nb\"",
        "\"\\ud800\"",
        "\"\\ude00\\ud83d\"",
        "\"\\ud83dx\"",
        "{\"\\u0000\":1}",
        "1e309",
        "1E-309",
        "[1e99999999999]",
        "\"\\x\"",
      })
  void whatIsNotStrictJsonIsRefused(String text) {
    refused(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "22ff22", // no lead byte
        "22c322", // cut
        "22c0af22", // overlong
        "22eda08022", // a surrogate
        "22f490808022", // above U+10FFFF
        "efbbbf31", // a byte order mark
        "310000", // NUL after the end
      })
  void whatIsNotUtf8IsRefused(String hex) {
    assertThatThrownBy(() -> JsonReader.read(HexFormat.of().parseHex(hex), JsonReader::raw))
        .isInstanceOfSatisfying(
            ProblemException.class, e -> assertThat(e.problem().status()).isEqualTo(400));
  }

  private static String raw(String text) {
    return JsonReader.read(text.getBytes(StandardCharsets.UTF_8), in -> in.raw().text());
  }

  /** The first field of an object; the rest of it is skipped. */
  private static String field(String text) {
    return JsonReader.read(
        text.getBytes(StandardCharsets.UTF_8),
        in -> {
          in.next();
          in.next();
          String value = in.raw().text();
          while (!in.next().isStructEnd()) {
            in.next();
          }
          return value;
        });
  }

  private static void refused(String text) {
    assertThatThrownBy(() -> raw(text))
        .isInstanceOfSatisfying(
            ProblemException.class, e -> assertThat(e.problem().status()).isEqualTo(400));
  }
}
