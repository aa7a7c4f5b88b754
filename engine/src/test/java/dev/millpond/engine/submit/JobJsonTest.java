package dev.millpond.engine.submit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.millpond.api.Backoff;
import dev.millpond.api.InvalidJobException;
import dev.millpond.api.JobOptions;
import dev.millpond.api.JobRequest.RawJson;
import dev.millpond.api.Limits;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JobJsonTest {
  record Person(String name, int age) {}

  private static String payload(Object payload) {
    return JobJson.payload(payload, Limits.PAYLOAD_BYTES);
  }

  private static @Nullable String result(@Nullable Object result) {
    return JobJson.result(result, Limits.RESULT_BYTES);
  }

  @Test
  void aPayloadIsWrittenAndReadAgain() {
    String text = payload(new Person("Ada", 36));

    assertThat(JobJson.read(text, Person.class)).isEqualTo(new Person("Ada", 36));
  }

  @Test
  void rawJsonIsKeptAsItCame() {
    String text = "{ \"a\" : [1,2.50, \"\\u0041\"] }";

    assertThat(payload(new RawJson(text))).isEqualTo(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", " ", "{", "{\"a\":1,\"a\":2}", "{} {}", "NaN", "// x\n1", "{'a':1}", "[1,]"})
  void whatIsNoJsonIsRefused(String text) {
    assertThatExceptionOfType(InvalidJobException.class)
        .isThrownBy(() -> payload(new RawJson(text)))
        .satisfies(e -> assertThat(e.pointer()).isEqualTo("/payload"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"a\\u0000b\"",
        "{\"\\u0000\":1}",
        "[\"\\ud800\"]",
        "\"\\udc00\\ud800\"",
        "1e400",
        "[1,2.5e+000309 ]",
        "[1E-309]",
        "{\"a\":1e999999999999}",
      })
  void whatJsonbCannotHoldIsRefused(String text) {
    assertThatExceptionOfType(InvalidJobException.class)
        .isThrownBy(() -> payload(new RawJson(text)))
        .satisfies(e -> assertThat(e.pointer()).isEqualTo("/payload"));
  }

  @Test
  void whatJsonbCannotHoldIsRefusedInAnObjectAsWell() {
    for (Object object :
        List.of(
            new Person("\u0000", 1),
            Map.of("\u0000", 1),
            new BigDecimal("1E+400"),
            BigInteger.TEN.pow(150_000))) {
      assertThatExceptionOfType(InvalidJobException.class).isThrownBy(() -> payload(object));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"\\ud83d\\ude00\"",
        "\"\ud83d\ude00\"",
        "\"\\\\u0000\"",
        "1e308",
        "-2.5E-308",
        "\"1e999\"",
        "\"1e999 \"",
        "\"0195e3e4-3e123-4e99999a\"",
        "\"\\u0001\"",
      })
  void whatOnlyLooksLikeItIsTaken(String text) {
    assertThat(payload(new RawJson(text))).isEqualTo(text);
  }

  @Test
  void aPayloadMayBeNestedSixtyFourTimes() {
    assertThat(payload(new RawJson("[".repeat(64) + "]".repeat(64)))).hasSize(128);
    assertThatExceptionOfType(InvalidJobException.class)
        .isThrownBy(() -> payload(new RawJson("[".repeat(65) + "]".repeat(65))));
  }

  @Test
  void aPayloadIsBoundedInBytesNotCharacters() {
    int most = Limits.PAYLOAD_BYTES - 2;
    assertThat(payload("a".repeat(most))).hasSize(Limits.PAYLOAD_BYTES);
    assertThatExceptionOfType(InvalidJobException.class)
        .isThrownBy(() -> payload("a".repeat(most + 1)));
    assertThatExceptionOfType(InvalidJobException.class)
        .isThrownBy(() -> payload("ä".repeat(most / 2 + 1)));
  }

  @Test
  void aResultIsBoundedAndMayBeAbsent() {
    assertThat(result(null)).isNull();
    assertThat(result(7)).isEqualTo("7");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> result("a".repeat(Limits.RESULT_BYTES)))
        .withMessageContaining(Integer.toString(Limits.RESULT_BYTES));
  }

  @Test
  void defaultOptionsAreNotStored() {
    assertThat(JobJson.options(JobOptions.DEFAULT)).isNull();
    assertThat(JobJson.options((String) null)).isEqualTo(JobOptions.DEFAULT);
    assertThat(JobJson.options(JobOptions.DEFAULT.withIdempotencyKey("k"))).isNull();
  }

  @Test
  void optionsAreReadAsTheyWereStored() {
    JobOptions options =
        new JobOptions(
            5,
            new Backoff(Duration.ofMillis(250), Duration.ofMinutes(2)),
            Duration.ofSeconds(3),
            Duration.ofSeconds(4),
            List.of("a", "b"),
            true,
            null,
            new JobOptions.Expiry.At(Instant.parse("2027-01-31T08:30:00.000001Z")),
            Duration.ofHours(36),
            URI.create("https://example.com/done?a=1"));

    assertThat(JobJson.options(JobJson.options(options))).isEqualTo(options);
    JobOptions noResult = JobOptions.DEFAULT.withKeepResult(false);
    assertThat(JobJson.options(JobJson.options(noResult))).isEqualTo(noResult);
  }

  @Test
  void anExpiryIsStoredAsAnInstantOnly() {
    assertThat(JobJson.options(JobOptions.DEFAULT.withExpiresIn(Duration.ofHours(1)))).isNull();
  }
}
