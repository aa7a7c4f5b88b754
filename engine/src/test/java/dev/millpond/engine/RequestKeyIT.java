package dev.millpond.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millpond.api.IdempotencyConflictException;
import dev.millpond.api.InvalidJobException;
import dev.millpond.api.JobOptions;
import dev.millpond.api.JobRequest;
import dev.millpond.api.SubmitResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A key of a whole request: the same ids in the same order, or nothing. */
class RequestKeyIT {
  private static Database database;
  private Fleet fleet;
  private Millpond node;

  @BeforeAll
  static void open() {
    database = Database.fresh();
  }

  @AfterAll
  static void shut() {
    database.close();
  }

  @BeforeEach
  void start() {
    fleet = Fleet.on(database, Fleet.Mode.POSTGRES);
    node = fleet.producer();
  }

  @AfterEach
  void stop() {
    fleet.end();
  }

  @Test
  void theSameRequestUnderTheSameKeyGivesTheSameJobsInOrder() {
    List<JobRequest> requests = requests(300);
    List<UUID> first = accepted(node.submit(requests, "r"));
    assertThat(existing(fleet.producer().submit(requests, "r"))).isEqualTo(first);
    assertThat(jobs()).isEqualTo(300);
    assertThat(database.number("SELECT cardinality(job_ids) FROM millpond.idempotency_key"))
        .isEqualTo(300);
  }

  @Test
  void anotherBodyIsAConflictAndWritesNothing() {
    List<UUID> first = accepted(node.submit(requests(3), "r"));
    List<JobRequest> changed = new ArrayList<>(requests(3));
    changed.set(2, JobRequest.of("noop", "changed"));
    List<JobRequest> withKey = new ArrayList<>(requests(3));
    withKey.set(1, keyed("own", 1));
    for (List<JobRequest> other : List.of(requests(2), requests(4), changed, withKey)) {
      assertThatThrownBy(() -> node.submit(other, "r"))
          .isInstanceOfSatisfying(
              IdempotencyConflictException.class,
              e -> {
                assertThat(e.jobId()).isEqualTo(first.getFirst());
                assertThat(e.index()).isEqualTo(-1);
              });
    }
    assertThat(jobs()).isEqualTo(3);
    assertThat(database.strings("SELECT key FROM millpond.idempotency_key")).containsExactly("r");
  }

  @Test
  void theKeyOfARequestAndTheKeyOfAJobAreOneNameSpace() {
    node.submit(requests(1), "r");
    assertThatThrownBy(() -> node.submit(keyed("r", 0)))
        .isInstanceOf(IdempotencyConflictException.class);
    UUID single = node.submitOrThrow(keyed("s", 0));
    assertThatThrownBy(() -> node.submit(requests(1), "s"))
        .isInstanceOfSatisfying(
            IdempotencyConflictException.class, e -> assertThat(e.jobId()).isEqualTo(single));
    assertThatThrownBy(() -> node.submit(List.of(keyed("t", 0)), "t"))
        .isInstanceOfSatisfying(
            InvalidJobException.class, e -> assertThat(e.pointer()).isEqualTo("/idempotencyKey"));
    assertThat(jobs()).isEqualTo(2);
  }

  @Test
  void jobsKeepTheirOwnKeysAndAReplayNamesTheEarlierOnes() {
    UUID before = node.submitOrThrow(keyed("own", 1));
    List<JobRequest> requests = List.of(keyed("own", 1), JobRequest.of("noop", 2), keyed("new", 3));
    List<SubmitResult> results = node.submit(requests, "r");
    assertThat(results.getFirst()).isEqualTo(new SubmitResult.Existing(before));
    assertThat(results.subList(1, 3)).allMatch(r -> r instanceof SubmitResult.Accepted);
    List<UUID> ids = Fleet.ids(results);
    assertThat(existing(node.submit(requests, "r"))).isEqualTo(ids);
    assertThat(node.submit(keyed("new", 3))).isEqualTo(new SubmitResult.Existing(ids.getLast()));
    assertThat(jobs()).isEqualTo(3);
  }

  @Test
  void aConflictOfOneJobFreesTheKeyOfTheRequest() {
    node.submitOrThrow(keyed("own", 1));
    assertThatThrownBy(
            () -> node.submit(List.of(JobRequest.of("noop", 0), keyed("own", "other")), "r"))
        .isInstanceOfSatisfying(
            IdempotencyConflictException.class, e -> assertThat(e.index()).isEqualTo(1));
    assertThat(jobs()).isEqualTo(1);
    accepted(node.submit(requests(2), "r"));
    assertThat(jobs()).isEqualTo(3);
  }

  @Test
  void aReplayTakesNoKeyThatHasExpiredMeanwhile() {
    UUID before = node.submitOrThrow(keyed("own", 1));
    List<JobRequest> requests = List.of(keyed("own", 1), JobRequest.of("noop", 2));
    List<UUID> ids = Fleet.ids(node.submit(requests, "r"));
    expire("own");
    assertThat(existing(node.submit(requests, "r"))).isEqualTo(ids).startsWith(before);
    assertThat(jobs()).isEqualTo(2);
    assertThat(node.submit(keyed("own", 1))).isInstanceOf(SubmitResult.Accepted.class);
  }

  @Test
  void anExpiredKeyIsFreeAgainForAnyRequest() {
    node.submit(requests(2), "r");
    expire("r");
    List<UUID> second = accepted(node.submit(requests(3), "r"));
    assertThat(existing(node.submit(requests(3), "r"))).isEqualTo(second);
    expire("r");
    UUID single = node.submitOrThrow(keyed("r", 0));
    assertThat(node.submit(keyed("r", 0))).isEqualTo(new SubmitResult.Existing(single));
    assertThat(jobs()).isEqualTo(6);
  }

  @Test
  void keysLiveAsLongAsConfiguredAndTheLongestPromiseIsKept() {
    node.submit(requests(1), "a-day");
    JobLimits hour = JobLimits.DEFAULT.withKeysLive(Duration.ofHours(1));
    try (Millpond brief = Millpond.connect(fleet.config().withLimits(hour))) {
      brief.submit(requests(1), "an-hour");
    }
    String lives =
        "SELECT round(extract(epoch FROM expires_at - now()) / 60)::int"
            + " FROM millpond.idempotency_key WHERE key = ?";
    assertThat(database.number(lives, "a-day")).isBetween(1_438L, 1_440L);
    assertThat(database.number(lives, "an-hour")).isBetween(58L, 60L);
    assertThat(longest()).isEqualTo("PT24H");
    JobLimits days = JobLimits.DEFAULT.withKeysLive(Duration.ofDays(3));
    Millpond.connect(fleet.config().withLimits(days)).close();
    Millpond.connect(fleet.config()).close();
    assertThat(longest()).isEqualTo("PT72H");
  }

  @Test
  void theLimitsInForceAreNamed() {
    JobLimits small = JobLimits.DEFAULT.withBytes(1_024, 1_024).withBatchJobs(2);
    try (Millpond strict = Millpond.connect(fleet.config().withLimits(small))) {
      assertThatThrownBy(() -> strict.submit(requests(3)))
          .isInstanceOf(InvalidJobException.class)
          .hasMessageContaining("must be 1 to 2, are 3");
      assertThatThrownBy(() -> strict.submit(JobRequest.of("noop", "x".repeat(1_023))))
          .isInstanceOf(InvalidJobException.class)
          .hasMessageContaining("must be at most 1024 bytes, is 1025");
      strict.submit(JobRequest.of("noop", "x".repeat(1_022)));
    }
    assertThat(jobs()).isEqualTo(1);
  }

  private static List<JobRequest> requests(int count) {
    List<JobRequest> requests = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      requests.add(JobRequest.of("noop", i));
    }
    return requests;
  }

  private static JobRequest keyed(String key, Object payload) {
    return JobRequest.of("noop", payload).withOptions(JobOptions.DEFAULT.withIdempotencyKey(key));
  }

  private static List<UUID> accepted(List<SubmitResult> results) {
    assertThat(results).allMatch(r -> r instanceof SubmitResult.Accepted);
    return Fleet.ids(results);
  }

  private static List<UUID> existing(List<SubmitResult> results) {
    assertThat(results).allMatch(r -> r instanceof SubmitResult.Existing);
    return Fleet.ids(results);
  }

  private static void expire(String key) {
    database.update(
        "UPDATE millpond.idempotency_key SET expires_at = now() - interval '1 s' WHERE key = ?",
        key);
  }

  private static String longest() {
    return database
        .strings("SELECT value FROM millpond.setting WHERE key = 'idempotency.ttl.longest'")
        .getFirst();
  }

  private static long jobs() {
    return database.number("SELECT count(*) FROM millpond.job");
  }
}
