package dev.millpond.engine.maintenance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobOptions;
import dev.millpond.api.JobRequest;
import dev.millpond.api.JobState;
import dev.millpond.api.RedriveResult;
import dev.millpond.api.SubmitResult;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.OldDay;
import dev.millpond.engine.maintenance.Retention.Config;
import dev.millpond.engine.maintenance.Retention.Result;
import dev.millpond.engine.maintenance.store.RetentionStore.Manner;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is removed, and what stays. */
class RetentionIT {
  private static final Duration WEEK = Duration.ofDays(7);
  private static final Duration LONG_AGO = Duration.ofDays(8);
  private static final Config WEEKLY = Config.of(WEEK, WEEK, null);

  private static Database database;
  private RoleScene scene;

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
    scene = new RoleScene(database, Mode.POSTGRES);
  }

  @AfterEach
  void stop() {
    scene.end();
  }

  private Retention retention(Config config) {
    return new Retention(scene.leadership, config, scene.metrics);
  }

  private Result look() {
    return retention(WEEKLY).runOnce();
  }

  private double counted(String meter) {
    return scene.metrics.registry().get("millpond.retention." + meter).counter().count();
  }

  private static void longestKey(Duration life) {
    database.update(
        "INSERT INTO millpond.setting VALUES ('idempotency.ttl.longest', ?)"
            + " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        life.toString());
  }

  private static long inDefault(String table, UUID id) {
    return database.number(
        "SELECT count(*) FROM millpond."
            + table
            + "_default WHERE "
            + (table.equals("job") ? "id" : "job_id")
            + " = ?",
        id);
  }

  private static Config trimming(int survivors, int page) {
    return trimming(survivors, 1 << 20, page);
  }

  private static Config trimming(int survivors, int bytes, int page) {
    Manner manner = new Manner(survivors, bytes, 7, Duration.ofMillis(100), 3);
    return new Config(WEEK, WEEK, null, 1, manner, page, 100, Duration.ZERO, 1_000);
  }

  @Test
  void aDayWhoseJobsHaveAllEndedIsDropped() {
    OldDay day = OldDay.of(database, 10);
    List<UUID> ids = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      ids.add(day.ended(i % 2 == 0 ? "succeeded" : "cancelled", LONG_AGO));
    }
    day.attempt(ids.getFirst(), 1);
    assertThat(look()).isEqualTo(new Result(1, 0, 0, 0, 0, true));
    assertThat(day.isThere()).isFalse();
    assertThat(scene.producer.find(ids.getFirst())).isEmpty();
    assertThat(database.number("SELECT count(*) FROM millpond.job_attempt")).isZero();
    assertThat(counted("days.dropped")).isEqualTo(1);
    assertThat(counted("jobs.dropped")).isEqualTo(20);
    assertThat(look().dropped()).as("nothing is left to do").isZero();
    scene.fleet.assertBooksClean(Set.copyOf(ids));
  }

  @Test
  void resultsThatAreKeptApartGoWithTheirJobs() {
    OldDay day = OldDay.of(database, 10);
    UUID old = day.ended("succeeded", LONG_AGO);
    UUID young = day.ended("succeeded", Duration.ofDays(1));
    for (UUID id : List.of(old, young)) {
      database.update(
          "INSERT INTO millpond.job_result VALUES (?, '1', now() + interval '1 year')", id);
    }
    assertThat(look().dropped()).isEqualTo(1);
    assertThat(database.ids("SELECT job_id FROM millpond.job_result")).containsExactly(young);
    database.update("UPDATE millpond.job_outcome SET ended_at = now() - interval '8 days'");
    assertThat(look().trimmed()).isEqualTo(1);
    assertThat(database.number("SELECT count(*) FROM millpond.job_result")).isZero();
  }

  @Test
  void theDaysOneByOneFromTheOldest() {
    OldDay newer = OldDay.of(database, 10);
    OldDay older = OldDay.of(database, 12);
    OldDay young = OldDay.of(database, 5);
    Retention retention = retention(WEEKLY);
    assertThat(retention.runOnce().dropped()).isEqualTo(1);
    assertThat(older.isThere()).isFalse();
    assertThat(newer.isThere()).isTrue();
    assertThat(retention.runOnce().dropped()).isEqualTo(1);
    assertThat(newer.isThere()).isFalse();
    assertThat(retention.runOnce().dropped()).isZero();
    assertThat(young.isThere()).isTrue();
  }

  @Test
  void aDayStaysAsLongAsAKeyMayReferToItsJobs() {
    OldDay day = OldDay.of(database, 10);
    UUID id = day.ended("succeeded", LONG_AGO);
    database.update(
        "INSERT INTO millpond.idempotency_key VALUES ('default', 'k', ?, '',"
            + " now() + interval '1 day')",
        id);
    longestKey(Duration.ofDays(11));
    assertThat(look().dropped()).isZero();
    assertThat(scene.producer.find(id)).isPresent();
    SubmitResult replay =
        scene.producer.submit(
            JobRequest.of("noop", "").withOptions(JobOptions.DEFAULT.withIdempotencyKey("fresh")));
    assertThat(replay).isInstanceOf(SubmitResult.Accepted.class);
    database.update("DELETE FROM millpond.idempotency_key WHERE key = 'k'");
    longestKey(Duration.ofHours(36));
    assertThat(look().dropped()).isEqualTo(1);
  }

  @Test
  void aDayStaysAsLongAsTheKeyOfARequestMayNameAJobThatAnEarlierKeyNamed() {
    OldDay day = OldDay.of(database, 3);
    UUID id = day.ended("succeeded", Duration.ofHours(50));
    // Its own key lived 36 hours; a request at their end has named it, and lives 36 hours as well.
    database.update(
        "INSERT INTO millpond.idempotency_key VALUES ('default', 'request', ?, '',"
            + " now() + interval '1 hour')",
        id);
    longestKey(Duration.ofHours(36));
    Config shortest = Config.of(Duration.ofHours(36), Duration.ofHours(36), null);
    assertThat(retention(shortest).runOnce().dropped()).isZero();
    assertThat(scene.producer.find(id)).isPresent();
  }

  @Test
  void keysLiveForADayWhereNobodySaysOtherwise() {
    OldDay day = OldDay.of(database, 3);
    database.update("DELETE FROM millpond.setting");
    Config config = Config.of(Duration.ofHours(1), Duration.ofHours(1), null);
    retention(config).runOnce();
    boolean twoDaysAgo =
        Instant.now()
            .isAfter(
                day.day()
                    .plusDays(3)
                    .atStartOfDay(java.time.ZoneOffset.UTC)
                    .toInstant()
                    .plus(Duration.ofMinutes(16)));
    assertThat(day.isThere()).isEqualTo(!twoDaysAgo);
    OldDay yesterday = OldDay.of(database, 1);
    longestKey(Duration.ofSeconds(1));
    retention(config).runOnce();
    assertThat(yesterday.isThere()).as("the keeper of partitions would make it again").isTrue();
  }

  @Test
  void survivorsOfEachSortStayAndGoOn() {
    OldDay day = OldDay.of(database, 10);
    UUID ended = day.ended("succeeded", LONG_AGO);
    UUID endedLately = day.ended("succeeded", Duration.ofDays(3));
    UUID scheduled = day.scheduled(Duration.ofDays(-1));
    UUID later = day.scheduled(Duration.ofDays(3));
    UUID dead = day.dead(LONG_AGO);
    UUID runnable = day.runnable();
    UUID named = day.ended("cancelled", LONG_AGO);
    day.dispatch(named, Instant.now().minus(Duration.ofDays(9)));
    day.attempt(scheduled, 1);
    day.attempt(endedLately, 1);
    database.update(
        "UPDATE millpond.job_state SET lease_token = 2, attempt = 2 WHERE job_id = ?", scheduled);
    assertThat(look()).isEqualTo(new Result(1, 6, 0, 0, 0, true));
    assertThat(counted("survivors.moved")).isEqualTo(6);
    assertThat(day.isThere()).isFalse();
    assertThat(scene.producer.find(ended)).isEmpty();
    for (UUID id : List.of(endedLately, scheduled, later, dead, runnable, named)) {
      assertThat(inDefault("job", id)).isEqualTo(1);
    }
    for (UUID id : List.of(endedLately, scheduled, dead)) {
      assertThat(inDefault("job_attempt", id)).isEqualTo(1);
      assertThat(inDefault("job_log", id)).isEqualTo(1);
    }
    assertThat(scene.producer.find(dead).orElseThrow().attempts()).hasSize(1);
    scene.fleet.assertBooksClean();
    goOn(dead, List.of(scheduled, runnable));
    assertThat(scene.producer.find(later).orElseThrow().state()).isEqualTo(JobState.SCHEDULED);
    assertThat(scene.producer.find(endedLately).orElseThrow().state())
        .isEqualTo(JobState.SUCCEEDED);
  }

  /** Redrives one, and lets a worker end all. */
  private void goOn(UUID dead, List<UUID> others) {
    scene.fleet.worker(m -> m.registerHandler("noop", String.class, (c, p) -> null));
    scene.leadership.giveUp();
    scene.fleet.maintainer();
    assertThat(scene.producer.redrive(dead)).isInstanceOf(RedriveResult.Redriven.class);
    List<UUID> all = new ArrayList<>(others);
    all.add(dead);
    for (UUID id : all) {
      scene.fleet.untilState(id, JobState.SUCCEEDED);
      assertThat(inDefault("job_outcome", id)).isEqualTo(1);
    }
  }

  @Test
  void aDayWithTooManySurvivorsIsTrimmedAndDroppedLater() {
    OldDay day = OldDay.of(database, 10);
    List<UUID> scheduled = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      day.attempt(day.ended("succeeded", LONG_AGO), 1);
      scheduled.add(day.scheduled(Duration.ofDays(1)));
    }
    Retention retention = retention(trimming(20, 4));
    assertThat(retention.runOnce()).isEqualTo(new Result(0, 0, 30, 0, 0, false));
    assertThat(day.isThere()).isTrue();
    assertThat(database.outcomes()).isZero();
    assertThat(database.number("SELECT count(*) FROM millpond.job")).isEqualTo(30);
    assertThat(database.number("SELECT count(*) FROM millpond.job_attempt")).isZero();
    assertThat(database.number("SELECT count(*) FROM millpond.job_log")).isZero();
    for (UUID id : scheduled.subList(0, 15)) {
      scene.producer.cancel(id);
    }
    database.update("UPDATE millpond.job_outcome SET ended_at = now() - interval '8 days'");
    assertThat(retention.runOnce()).isEqualTo(new Result(1, 15, 0, 0, 0, true));
    assertThat(database.ids("SELECT id FROM millpond.job_default"))
        .containsExactlyInAnyOrderElementsOf(scheduled.subList(15, 30));
  }

  @Test
  void aDayWhoseSurvivorsAreLargeIsTrimmedToo() {
    OldDay day = OldDay.of(database, 10);
    UUID dead = day.dead(LONG_AGO);
    assertThat(day.ended("succeeded", LONG_AGO)).isNotNull();
    long bytes =
        database.number(
            "SELECT sum(octet_length(payload)) + (SELECT coalesce(sum(octet_length(error_message)),"
                + " 0) + coalesce(sum(octet_length(error_stack)), 0) FROM millpond.job_attempt)"
                + " + (SELECT coalesce(sum(octet_length(line)), 0) FROM millpond.job_log)"
                + " FROM millpond.job WHERE id = '"
                + dead
                + "'");
    assertThat(bytes).isPositive();
    Retention less = retention(trimming(20, (int) bytes - 1, 4));
    assertThat(less.runOnce()).isEqualTo(new Result(0, 0, 1, 0, 0, false));
    assertThat(day.isThere()).isTrue();
    Retention enough = retention(trimming(20, (int) bytes, 4));
    assertThat(enough.runOnce()).isEqualTo(new Result(1, 1, 0, 0, 0, true));
    assertThat(database.ids("SELECT id FROM millpond.job_default")).containsExactly(dead);
  }

  @Test
  void aTrimGoesOnWhereItWasAndLooksAtNothingTwice() {
    OldDay day = OldDay.of(database, 10);
    for (int i = 0; i < 12; i++) {
      assertThat(day.ended("succeeded", Duration.ofHours(1))).isNotNull();
    }
    assertThat(look().moved()).isEqualTo(12);
    database.update(
        "UPDATE millpond.job_outcome SET ended_at = now() - interval '8 days' WHERE job_id ="
            + " (SELECT job_id FROM millpond.job_outcome ORDER BY job_id DESC LIMIT 1)");
    Config one = trimming(20, 5);
    one = new Config(WEEK, WEEK, null, 1, one.manner(), 5, 1, Duration.ofHours(1), 1_000);
    Retention retention = retention(one);
    assertThat(retention.runOnce()).isEqualTo(new Result(0, 0, 0, 0, 0, true));
    assertThat(retention.runOnce()).isEqualTo(new Result(0, 0, 0, 0, 0, true));
    assertThat(retention.runOnce()).isEqualTo(new Result(0, 0, 1, 0, 0, false));
    assertThat(retention.runOnce())
        .as("a while until the next pass")
        .isEqualTo(new Result(0, 0, 0, 0, 0, false));
    assertThat(database.outcomes()).isEqualTo(11);
    assertThat(counted("jobs.trimmed")).isEqualTo(1);
  }

  @Test
  void deadLettersAreKeptForGoodOrForTheirTime() {
    OldDay day = OldDay.of(database, 10);
    UUID old = day.dead(LONG_AGO);
    UUID young = day.dead(Duration.ofDays(2));
    assertThat(look()).isEqualTo(new Result(1, 2, 0, 0, 0, true));
    assertThat(retention(Config.of(WEEK, WEEK, Duration.ofDays(3))).runOnce().dead()).isEqualTo(1);
    assertThat(counted("dead.letters.removed")).isEqualTo(1);
    assertThat(scene.producer.find(old)).isEmpty();
    assertThat(scene.producer.find(young).orElseThrow().state()).isEqualTo(JobState.DEAD);
    assertThat(database.ids("SELECT job_id FROM millpond.job_attempt")).containsExactly(young);
    assertThat(database.ids("SELECT job_id FROM millpond.job_state")).containsExactly(young);
    assertThat(scene.producer.redrive(old)).isInstanceOf(RedriveResult.NotFound.class);
    scene.fleet.assertBooksClean(Set.of(old, young));
  }

  @Test
  void aJobOfADroppedDayLandsInTheDefaultPartition() {
    OldDay day = OldDay.of(database, 10);
    assertThat(look().dropped()).isEqualTo(1);
    UUID late = day.runnable();
    assertThat(inDefault("job", late)).isEqualTo(1);
    assertThat(OldDay.of(database, 10).isThere())
        .as("partitions are not made where the default one has rows")
        .isFalse();
    goOn(day.dead(Duration.ZERO), List.of(late));
  }

  @Test
  void partitionsToComeAreMadeAlthoughOneDayCannotHaveAny() {
    scene.submit(1);
    String today =
        database.strings("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD')").getFirst();
    UUID inToday = scene.submit(1).getFirst();
    for (String table : List.of("job_log", "job_attempt", "job_outcome", "job")) {
      String part = "millpond." + table + "_p" + today;
      database.update("ALTER TABLE millpond." + table + " DETACH PARTITION " + part);
      database.update("INSERT INTO millpond." + table + " SELECT * FROM " + part);
      database.update("DROP TABLE " + part);
    }
    assertThat(inDefault("job", inToday)).isEqualTo(1);
    PartitionKeeper keeper =
        new PartitionKeeper(scene.leadership, new PartitionKeeper.Config(1, 6));
    assertThat(keeper.runOnce()).isEqualTo(new PartitionKeeper.Result(3, false));
    database.empty();
    scene.leadership.runOnce();
    assertThat(keeper.runOnce()).isEqualTo(new PartitionKeeper.Result(1, false));
  }

  @Test
  void anEndedJobThatABatchStillNamesIsNeverRemovedFromUnderIt() {
    OldDay day = OldDay.of(database, 10);
    UUID named = day.ended("cancelled", LONG_AGO);
    day.dispatch(named, Instant.now().minus(Duration.ofDays(9)));
    assertThat(look().moved()).isEqualTo(1);
    assertThat(look().trimmed()).isZero();
    scene.fleet.worker(m -> m.registerHandler("noop", String.class, (c, p) -> null));
    Fleet.until("the batch is taken", () -> scene.batches().isEmpty());
    assertThat(look().trimmed()).isEqualTo(1);
    assertThat(scene.producer.find(named)).isEmpty();
  }

  @Test
  void nothingIsRemovedWhileTooManyEndedJobsAreNamed() {
    OldDay day = OldDay.of(database, 10);
    for (int i = 0; i < 3; i++) {
      day.dispatch(day.ended("cancelled", LONG_AGO), Instant.now().minus(Duration.ofDays(9)));
    }
    Config few = new Config(WEEK, WEEK, null, 1, Config.MANNER, 5, 5, Duration.ZERO, 2);
    assertThat(retention(few).runOnce()).isEqualTo(new Result(0, 0, 0, 0, 0, false));
    assertThat(day.isThere()).isTrue();
  }

  @Test
  void aFormerLeaderDropsNothing() {
    OldDay day = OldDay.of(database, 10);
    Retention retention = retention(WEEKLY);
    database.update("UPDATE millpond.leader SET epoch = epoch + 1");
    org.assertj.core.api.Assertions.assertThatThrownBy(retention::runOnce)
        .isInstanceOf(Leadership.LostException.class);
    assertThat(day.isThere()).isTrue();
  }

  /** So that a table that is added later is not forgotten. */
  @Test
  void everyTableThatNamesAJobIsKnownToRetention() {
    assertThat(
            database.strings(
                """
                SELECT c.relname || '.' || a.attname FROM pg_class c
                JOIN pg_attribute a ON a.attrelid = c.oid
                WHERE c.relnamespace = 'millpond'::regnamespace AND c.relkind IN ('r', 'p')
                  AND NOT c.relispartition AND a.attname IN ('job_id', 'job_ids')
                """))
        .containsExactlyInAnyOrder(
            "job_outcome.job_id",
            "job_attempt.job_id",
            "job_log.job_id",
            "job_state.job_id", // of live jobs only; whoever has one stays
            "dispatch.job_ids", // the same
            "dead_letter.job_id", // has a state row
            "idempotency_key.job_id", // expires before
            "idempotency_key.job_ids",
            "job_result.job_id", // removed before the day is dropped
            "job_expiry.job_id", // swept by the expirer
            "cancel_notice.job_id"); // removed after minutes
  }
}
