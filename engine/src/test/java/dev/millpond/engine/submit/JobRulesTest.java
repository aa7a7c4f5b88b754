package dev.millpond.engine.submit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.millpond.api.InvalidJobException;
import dev.millpond.api.JobOptions;
import dev.millpond.api.JobRequest;
import dev.millpond.api.Limits;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class JobRulesTest {
  private static final Instant NOW = Instant.parse("2026-11-22T10:00:00Z");
  private static final List<String> CLASSES = List.of("critical", "high", "normal");
  private static final JobRequest GOOD = JobRequest.of("kind", null);

  @ParameterizedTest
  @ValueSource(strings = {"a", "0", "image.resize", "a-b_c.d", "x123"})
  void namesOfTheAlphabetAreTaken(String name) {
    assertThat(JobRules.isName(name)).isTrue();
    assertThat(name).as("the rule that callers are told").matches(JobRules.NAME_RULE);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "A", "-a", ".a", "_a", "a b", "a{s0}", "a:b", "a\n", "ä", "a/b", "\u0000"})
  void otherNamesAreRefused(String name) {
    assertThat(JobRules.isName(name)).isFalse();
    assertThat(name).doesNotMatch(JobRules.NAME_RULE);
    assertRefused(GOOD.withQueue(name), "/queue");
    assertRefused(new JobRequest(name, null, "q", "normal", GOOD.start(), GOOD.options()), "/kind");
  }

  @Test
  void aNameHasAtMostSixtyFourCharacters() {
    assertThat(JobRules.isName("a".repeat(64))).isTrue();
    assertThat(JobRules.isName("a".repeat(65))).isFalse();
  }

  static Stream<Arguments> refused() {
    JobOptions none = JobOptions.DEFAULT;
    return Stream.of(
        Arguments.of(GOOD.withPriorityClass("urgent"), "/priorityClass"),
        Arguments.of(GOOD.withDelay(Duration.ofMillis(-1)), "/delay"),
        Arguments.of(GOOD.withDelay(Limits.RUN_AT_CEILING.plusMillis(1)), "/delay"),
        Arguments.of(GOOD.withRunAt(NOW.plus(Limits.RUN_AT_CEILING).plusMillis(1)), "/runAt"),
        Arguments.of(GOOD.withRunAt(Instant.MAX), "/runAt"),
        Arguments.of(GOOD.withRunAt(Instant.EPOCH.minusMillis(1)), "/runAt"),
        Arguments.of(GOOD.withOptions(none.withMaxAttempts(0)), "/maxAttempts"),
        Arguments.of(GOOD.withOptions(none.withMaxAttempts(1_001)), "/maxAttempts"),
        Arguments.of(GOOD.withOptions(none.withTimeout(Duration.ZERO)), "/softTimeout"),
        Arguments.of(GOOD.withOptions(none.withTimeout(Duration.ofDays(8))), "/softTimeout"),
        Arguments.of(
            GOOD.withOptions(none.withTimeouts(Duration.ofSeconds(2), Duration.ofSeconds(2))),
            "/hardTimeout"),
        Arguments.of(GOOD.withOptions(none.withTags("ok", "Not Ok")), "/tags/1"),
        Arguments.of(
            GOOD.withOptions(
                none.withTags(Stream.generate(() -> "t").limit(17).toArray(String[]::new))),
            "/tags"),
        Arguments.of(GOOD.withOptions(none.withIdempotencyKey("")), "/idempotencyKey"),
        Arguments.of(GOOD.withOptions(none.withIdempotencyKey(" a")), "/idempotencyKey"),
        Arguments.of(GOOD.withOptions(none.withIdempotencyKey("ä")), "/idempotencyKey"),
        Arguments.of(GOOD.withOptions(none.withIdempotencyKey("k".repeat(256))), "/idempotencyKey"),
        Arguments.of(GOOD.withOptions(none.withExpiresAt(NOW)), "/expiresAt"),
        Arguments.of(GOOD.withOptions(none.withExpiresAt(Instant.MAX)), "/expiresAt"),
        Arguments.of(
            GOOD.withOptions(none.withExpiresAt(NOW.plus(Limits.EXPIRY_CEILING).plusMillis(1))),
            "/expiresAt"),
        Arguments.of(GOOD.withOptions(none.withExpiresIn(Duration.ZERO)), "/expiresIn"),
        Arguments.of(GOOD.withOptions(none.withExpiresIn(Duration.ofDays(4_000))), "/expiresIn"),
        Arguments.of(
            GOOD.withDelay(Duration.ofHours(1))
                .withOptions(none.withExpiresIn(Duration.ofHours(1))),
            "/expiresIn"),
        Arguments.of(
            GOOD.withRunAt(NOW.plusSeconds(60))
                .withOptions(none.withExpiresAt(NOW.plusSeconds(60))),
            "/expiresAt"),
        Arguments.of(GOOD.withOptions(none.withResultTtl(Duration.ofMillis(999))), "/keepResult"),
        Arguments.of(GOOD.withOptions(none.withResultTtl(Duration.ofDays(366))), "/keepResult"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ftp://example.com/",
        "https:/done",
        "https:done",
        "/done",
        "https:///done",
        "https://user@example.com/",
        "https://user:secret@example.com/",
        "file:///etc/passwd"
      })
  void anAddressThatIsNoWebhookIsRefused(String url) {
    assertRefused(GOOD.withOptions(JobOptions.DEFAULT.withWebhook(URI.create(url))), "/webhook");
  }

  @Test
  void aWebhookIsBoundedAndItsPasswordIsNotRepeated() {
    String longest = "https://example.com/" + "a".repeat(Limits.WEBHOOK_CHARS - 20);
    check(GOOD.withOptions(JobOptions.DEFAULT.withWebhook(URI.create(longest))));
    assertRefused(
        GOOD.withOptions(JobOptions.DEFAULT.withWebhook(URI.create(longest + "a"))), "/webhook");
    assertThatExceptionOfType(InvalidJobException.class)
        .isThrownBy(() ->
            check(
                GOOD.withOptions(
                    JobOptions.DEFAULT.withWebhook(URI.create("https://u:secret@example.com/")))))
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("secret"));
  }

  @Test
  void aResultThatIsNotKeptHasNoTimeToLive() {
    JobOptions odd =
        new JobOptions(
            null, null, null, null, List.of(), false, null, null, Duration.ofHours(1), null);
    assertRefused(GOOD.withOptions(odd), "/keepResult");
  }

  @Test
  void reservedNamesAreTheEnginesOwn() {
    JobRequest kind = JobRequest.of("millpond.webhook", null);
    JobRequest queue = GOOD.withQueue("millpond.webhook");
    JobRequest tag = GOOD.withOptions(JobOptions.DEFAULT.withTags("a", "millpond.a"));
    assertRefused(kind, "/kind");
    assertRefused(queue, "/queue");
    assertRefused(tag, "/tags/1");
    for (JobRequest own : List.of(kind, queue, tag)) {
      JobRules.check(own, NOW, CLASSES, JobRules.Origin.ENGINE, false);
    }
    check(JobRequest.of("millponds.webhook", null));
  }

  @Test
  void underAKeyAnExpiryThatHasPassedIsNotRefused() {
    JobRequest late = GOOD.withOptions(JobOptions.DEFAULT.withExpiresAt(NOW.minusSeconds(1)));
    assertRefused(late, "/expiresAt");
    JobRules.check(late, NOW, CLASSES, JobRules.Origin.PRODUCER, true);
  }

  @ParameterizedTest
  @MethodSource
  void refused(JobRequest request, String pointer) {
    assertRefused(request, pointer);
  }

  static Stream<JobRequest> taken() {
    JobOptions none = JobOptions.DEFAULT;
    return Stream.of(
        GOOD,
        GOOD.withPriorityClass("critical"),
        GOOD.withDelay(Duration.ZERO),
        GOOD.withDelay(Limits.RUN_AT_CEILING),
        GOOD.withRunAt(NOW.minusSeconds(60)),
        GOOD.withOptions(none.withMaxAttempts(1)),
        GOOD.withOptions(none.withTimeouts(Duration.ofMillis(1), Duration.ofMillis(2))),
        GOOD.withOptions(none.withIdempotencyKey("k".repeat(255))),
        GOOD.withOptions(none.withExpiresAt(NOW.plusMillis(1))),
        GOOD.withOptions(none.withExpiresIn(Limits.EXPIRY_CEILING)),
        GOOD.withDelay(Duration.ofHours(1)).withOptions(none.withExpiresIn(Duration.ofHours(2))),
        GOOD.withOptions(none.withResultTtl(Limits.RESULT_TTL_LEAST)),
        GOOD.withOptions(none.withResultTtl(Limits.RESULT_TTL_CEILING)),
        GOOD.withOptions(none.withWebhook(URI.create("HTTP://[2001:db8::1]:8080/a?b=c#d"))),
        GOOD.withOptions(none.withTags("a", "b")));
  }

  @ParameterizedTest
  @MethodSource
  void taken(JobRequest request) {
    check(request);
  }

  private static void check(JobRequest request) {
    JobRules.check(request, NOW, CLASSES, JobRules.Origin.PRODUCER, false);
  }

  private static void assertRefused(JobRequest request, String pointer) {
    assertThatExceptionOfType(InvalidJobException.class)
        .isThrownBy(() -> check(request))
        .satisfies(e -> assertThat(e.pointer()).isEqualTo(pointer));
  }
}
