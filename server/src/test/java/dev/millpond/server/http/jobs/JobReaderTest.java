package dev.millpond.server.http.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.tuple;

import dev.millpond.api.Backoff;
import dev.millpond.api.JobOptions;
import dev.millpond.api.JobOptions.Expiry;
import dev.millpond.api.JobRequest;
import dev.millpond.api.JobRequest.RawJson;
import dev.millpond.engine.submit.CheckedJson;
import dev.millpond.server.http.problem.Problem;
import dev.millpond.server.http.problem.Problem.FieldError;
import dev.millpond.server.http.problem.ProblemException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JobReaderTest {
  private static final int MOST = 50;

  /** A number of 310 digits. */
  private static final String LONG =
      "1234567890123456789012345678901234567890123456789012345678901"
          + "12345678901234567890123456789012345678901234567890123456789012345678901234567890123"
          + "12345678901234567890123456789012345678901234567890123456789012345678901234567890123"
          + "12345678901234567890123456789012345678901234567890123456789012345678901234567890123";

  @Test
  void aKindIsEnough() {
    assertThat(one("{\"kind\":\"a\"}")).isEqualTo(JobRequest.of("a", new CheckedJson("null")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"\\u0041\"",
        "{\"a\\u0041\":1}",
        "1e5",
        "[1E-5]",
        "-1.0e+300",
        LONG,
        "0." + LONG
      })
  void aPayloadWithWhatOthersMayStumbleOverIsReadAgainByTheEngine(String payload) {
    assertThat(one("{\"kind\":\"a\",\"payload\":" + payload + "}").payload())
        .isEqualTo(new RawJson(payload));
  }

  @ParameterizedTest
  @ValueSource(strings = {"\"a\\n\\\\\"", "{\"a\":[1,-2.5,null,true]}", "\"\u00e9\""})
  void aPlainPayloadIsReadOnce(String payload) {
    assertThat(one("{\"kind\":\"a\",\"payload\":" + payload + "}").payload())
        .isEqualTo(new CheckedJson(payload));
  }

  @Test
  void allFieldsAreRead() {
    JobRequest job =
        one(
            """
            {"kind":"a","queue":"q","priorityClass":"high","payload":{"n": 1.0},"delay":"PT1M",
             "maxAttempts":3,"backoff":{"base":"PT2S","max":"PT1M"},"softTimeout":"PT5S",
             "hardTimeout":"PT7S","tags":["x","y"],"keepResult":"PT1H","idempotencyKey":"k",
             "expiresIn":"PT2H","webhook":"https://example.com/done"}\
            """);
    assertThat(job)
        .isEqualTo(
            new JobRequest(
                "a",
                new CheckedJson("{\"n\": 1.0}"),
                "q",
                "high",
                new JobRequest.Start.In(Duration.ofMinutes(1)),
                new JobOptions(
                    3,
                    new Backoff(Duration.ofSeconds(2), Duration.ofMinutes(1)),
                    Duration.ofSeconds(5),
                    Duration.ofSeconds(7),
                    List.of("x", "y"),
                    true,
                    "k",
                    new Expiry.In(Duration.ofHours(2)),
                    Duration.ofHours(1),
                    URI.create("https://example.com/done"))));
  }

  @Test
  void aResultIsKeptOrNotOrForATime() {
    assertThat(one("{\"kind\":\"a\",\"keepResult\":true}").options()).isEqualTo(JobOptions.DEFAULT);
    assertThat(one("{\"kind\":\"a\",\"keepResult\":false}").options())
        .isEqualTo(JobOptions.DEFAULT.withKeepResult(false));
    assertThat(one("{\"kind\":\"a\",\"keepResult\":\"P1D\"}").options())
        .isEqualTo(JobOptions.DEFAULT.withResultTtl(Duration.ofDays(1)));
  }

  @Test
  void anExpiryIsAnInstantOrADuration() {
    assertThat(one("{\"kind\":\"a\",\"expiresAt\":\"2027-01-31T08:30:00Z\"}").options().expiry())
        .isEqualTo(new Expiry.At(Instant.parse("2027-01-31T08:30:00Z")));
    assertThat(one("{\"kind\":\"a\",\"expiresIn\":null}").options().expiry()).isNull();
  }

  @Test
  void nullCountsAsAbsent() {
    assertThat(one("{\"kind\":\"a\",\"queue\":null,\"payload\":null,\"tags\":null}"))
        .isEqualTo(one("{\"kind\":\"a\"}"));
  }

  @Test
  void anInstantIsRfc3339InUtc() {
    assertThat(one("{\"kind\":\"a\",\"runAt\":\"2027-01-31T08:30:00.5Z\"}").start())
        .isEqualTo(new JobRequest.Start.At(Instant.parse("2027-01-31T08:30:00.5Z")));
  }

  @Test
  void aSoftTimeoutAloneBringsTheHardOne() {
    assertThat(one("{\"kind\":\"a\",\"softTimeout\":\"PT5S\"}").options())
        .isEqualTo(JobOptions.DEFAULT.withTimeout(Duration.ofSeconds(5)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{}|/kind|required",
        "{\"kind\":null}|/kind|required",
        "{\"kind\":7}|/kind|wrong_type",
        "[]||wrong_type",
        "7||wrong_type",
        "{\"kind\":\"a\",\"state\":\"dead\"}|/state|unknown_field",
        "{\"kind\":\"a\",\"a/b~\":1}|/a~1b~0|unknown_field",
        "{\"kind\":\"a\",\"queue\":[]}|/queue|wrong_type",
        "{\"kind\":\"a\",\"delay\":\"5s\"}|/delay|invalid",
        "{\"kind\":\"a\",\"delay\":5}|/delay|wrong_type",
        "{\"kind\":\"a\",\"delay\":\"PT99999999999999999999S\"}|/delay|invalid",
        "{\"kind\":\"a\",\"runAt\":\"tomorrow\"}|/runAt|invalid",
        "{\"kind\":\"a\",\"runAt\":\"infinity\"}|/runAt|invalid",
        "{\"kind\":\"a\",\"runAt\":\"2027-02-30T00:00:00Z\"}|/runAt|invalid",
        "{\"kind\":\"a\",\"runAt\":\"2027-01-31T08:30:00+01:00\"}|/runAt|invalid",
        "{\"kind\":\"a\",\"delay\":\"PT1S\",\"runAt\":\"2027-01-31T08:30:00Z\"}|/delay|conflict",
        "{\"kind\":\"a\",\"maxAttempts\":\"3\"}|/maxAttempts|wrong_type",
        "{\"kind\":\"a\",\"maxAttempts\":3.0}|/maxAttempts|wrong_type",
        "{\"kind\":\"a\",\"maxAttempts\":99999999999}|/maxAttempts|invalid",
        "{\"kind\":\"a\",\"backoff\":{\"base\":\"PT0S\"}}|/backoff/base|invalid",
        "{\"kind\":\"a\",\"backoff\":{\"bas\":\"PT1S\"}}|/backoff/bas|unknown_field",
        "{\"kind\":\"a\",\"tags\":\"x\"}|/tags|wrong_type",
        "{\"kind\":\"a\",\"tags\":[\"x\",1]}|/tags/1|wrong_type",
        "{\"kind\":\"a\",\"keepResult\":\"yes\"}|/keepResult|invalid",
        "{\"kind\":\"a\",\"keepResult\":1}|/keepResult|wrong_type",
        "{\"kind\":\"a\",\"expiresAt\":\"soon\"}|/expiresAt|invalid",
        "{\"kind\":\"a\",\"expiresIn\":60}|/expiresIn|wrong_type",
        "{\"kind\":\"a\",\"expiresIn\":\"PT1S\",\"expiresAt\":\"2027-01-31T08:30:00Z\"}|/expiresIn|conflict",
        "{\"kind\":\"a\",\"webhook\":\"http://[\"}|/webhook|invalid",
        "{\"kind\":\"a\",\"webhook\":\"a b\"}|/webhook|invalid",
        "{\"kind\":\"a\",\"webhook\":{}}|/webhook|wrong_type",
      })
  void aFieldThatCannotBeUsedIsNamed(String body, String pointer, String code) {
    FieldError error = errors(body, JobReader::one).getFirst();
    assertThat(error.pointer()).isEqualTo(pointer == null ? "" : pointer);
    assertThat(error.code()).isEqualTo(code);
    assertThat(error.index()).isEqualTo(-1);
  }

  @Test
  void allErrorsAreReportedTogether() {
    assertThat(errors("{\"queue\":1,\"tags\":2,\"x\":{\"y\":[1]}}", JobReader::one))
        .extracting(FieldError::pointer)
        .containsExactly("/queue", "/tags", "/x", "/kind");
  }

  @Test
  void theErrorsOfABatchNameTheirJob() {
    assertThat(
            errors(
                "{\"jobs\":[{\"kind\":\"a\"},{\"kind\":1},7,{\"kind\":\"a\",\"tags\":[3]}]}",
                JobReaderTest::batch))
        .extracting(FieldError::pointer, FieldError::index)
        .containsExactly(tuple("/jobs/1/kind", 1), tuple("/jobs/2", 2), tuple("/jobs/3/tags/0", 3));
  }

  @Test
  void aBatchIsAListOrAnObjectWithOne() {
    String list = "[{\"kind\":\"a\"},{\"kind\":\"b\",\"payload\":[1]}]";
    List<JobRequest> jobs = batch(bytes(list)).jobs();
    assertThat(jobs).extracting(JobRequest::kind).containsExactly("a", "b");
    assertThat(jobs.get(1).payload()).isEqualTo(new CheckedJson("[1]"));
    assertThat(batch(bytes("{\"jobs\":" + list + "}")).jobs()).isEqualTo(jobs);
    assertThat(errors("[{\"kind\":\"a\"},{\"kind\":1}]", JobReaderTest::batch))
        .extracting(FieldError::pointer, FieldError::index)
        .containsExactly(tuple("/1/kind", 1));
  }

  @Test
  void aBatchHasAtMostSoManyJobsAsConfigured() {
    assertThat(problem("{\"jobs\":[]}", JobReaderTest::batch).status()).isEqualTo(400);
    assertThat(problem("[]", JobReaderTest::batch).status()).isEqualTo(400);
    String many = "{\"kind\":\"a\"},".repeat(MOST);
    assertThat(problem("{\"jobs\":[" + many + "{\"kind\":\"a\"}]}", JobReaderTest::batch).detail())
        .isEqualTo("A batch has 1 to 50 jobs");
    assertThat(batch(bytes("[" + many.substring(0, many.length() - 1) + "]")).jobs()).hasSize(MOST);
    assertThat(problem("{}", JobReaderTest::batch).status()).isEqualTo(422);
    assertThat(problem("7", JobReaderTest::batch).status()).isEqualTo(422);
    assertThat(problem("{\"jobs\":{}}", JobReaderTest::batch).status()).isEqualTo(422);
  }

  @Test
  void theErrorsOfALineNameItsJob() {
    Problem broken = problem("{\"kind\":", body -> JobReader.line(body, 3, 5));
    assertThat(broken.status()).isEqualTo(400);
    assertThat(broken.members()).containsEntry("index", 3).containsEntry("line", 5);
    assertThat(errors("{\"kind\":1}", body -> JobReader.line(body, 3, 5)))
        .extracting(FieldError::pointer, FieldError::index)
        .containsExactly(tuple("/kind", 3));
  }

  private static JobReader.Batch batch(byte[] body) {
    return JobReader.batch(body, MOST);
  }

  private static JobRequest one(String body) {
    return JobReader.one(bytes(body));
  }

  private static List<FieldError> errors(String body, Function<byte[], ?> reading) {
    Problem problem = problem(body, reading);
    assertThat(problem.status()).isEqualTo(422);
    return problem.errors();
  }

  private static Problem problem(String body, Function<byte[], ?> reading) {
    return catchThrowableOfType(ProblemException.class, () -> reading.apply(bytes(body))).problem();
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
