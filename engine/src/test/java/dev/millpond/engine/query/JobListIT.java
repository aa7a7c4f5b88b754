package dev.millpond.engine.query;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.millpond.api.Backoff;
import dev.millpond.api.FatalJobException;
import dev.millpond.api.HandlerOptions;
import dev.millpond.api.JobOptions;
import dev.millpond.api.JobRequest;
import dev.millpond.api.JobRequest.RawJson;
import dev.millpond.api.JobState;
import dev.millpond.api.JobView;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.Millpond;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The list of jobs: each filter on jobs that were really run, the walk by cursor, the window. */
class JobListIT {
  private static final JobFilter ALL = JobFilter.ALL;
  private static final Duration LATER = Duration.ofHours(1);

  /** How many of three payloads a path finds. */
  private static final Map<String, Integer> PATHS =
      Map.ofEntries(
          Map.entry("$.size > 5", 1),
          Map.entry("$.size > 500", 0),
          Map.entry("$.size == \"12\"", 0),
          Map.entry("$.name", 2),
          Map.entry("$.name == \"b\"", 1),
          Map.entry("$.name like_regex \"^[ab]$\"", 2),
          Map.entry("$.tags[*] == \"x\"", 1),
          Map.entry("$.none", 0),
          Map.entry("exists($.none)", 0),
          Map.entry("!exists($.none)", 3),
          Map.entry("$.on", 1),
          Map.entry("$.on == false", 1),
          Map.entry("$.nil", 1),
          Map.entry("strict $.size", 1),
          Map.entry("$.at.datetime() < \"2026-01-01\".datetime()", 1),
          Map.entry("$.at.datetime() < \"2026-01-01T00:00:00+02:00\".datetime()", 1),
          Map.entry("$.size / 0 > 1", 0),
          Map.entry("$ ? (@.size == 12 && @.name == \"a\")", 1),
          Map.entry("$[1]", 0),
          Map.entry("true", 3),
          Map.entry("$.\"on\"", 1));

  /** Where a path is none; -1 where PostgreSQL does not say. */
  private static final Map<String, Integer> NO_PATHS =
      Map.ofEntries(
          Map.entry("$.a >", 5),
          Map.entry("$.a == }", 7),
          Map.entry("$.a }} == }", 4),
          Map.entry("$.a ? (@ > 1", 12),
          Map.entry("$[1", 3),
          Map.entry("@.a", -1),
          Map.entry("$.a like_regex \"[\"", -1),
          Map.entry("1e999999", -1));

  private static Database database;
  private Fleet fleet;
  private Millpond millpond;
  private CountDownLatch held;

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
    fleet = Fleet.on(database, Mode.POSTGRES);
    held = new CountDownLatch(1);
    HandlerOptions slowRetry = HandlerOptions.DEFAULT.withBackoff(new Backoff(LATER, LATER));
    millpond =
        fleet.worker(member ->
            member
                .registerHandler("ok", Object.class, (context, payload) -> "done")
                .registerHandler(
                    "retry",
                    String.class,
                    (context, text) -> fail(new IllegalStateException(text)),
                    slowRetry)
                .registerHandler(
                    "fatal", String.class, (context, text) -> fail(new FatalJobException(text)))
                .registerHandler(
                    "hold",
                    Object.class,
                    (context, payload) -> {
                      context.log("waiting");
                      held.await();
                      return null;
                    }));
    millpond.startMaintenance();
  }

  @AfterEach
  void stop() {
    held.countDown();
    fleet.end();
  }

  private static @Nullable Object fail(RuntimeException e) {
    throw e;
  }

  private UUID submit(JobRequest request) {
    return Fleet.submit(millpond, List.of(request)).getFirst();
  }

  private UUID submit(JobRequest request, JobState until) {
    UUID id = submit(request);
    fleet.untilState(id, until);
    return id;
  }

  /** All that matches, from pages of this size. */
  private List<UUID> walk(JobFilter filter, int limit) {
    return walk(filter, limit, () -> {});
  }

  private List<UUID> walk(JobFilter filter, int limit, Runnable between) {
    List<UUID> ids = new ArrayList<>();
    String cursor = null;
    do {
      Page<JobSummary> page = millpond.jobs(filter, cursor, limit);
      page.items().forEach(job -> ids.add(job.id()));
      assertThat(page.items()).hasSizeLessThanOrEqualTo(limit);
      assertThat(page.partial() || page.nextCursor() == null || page.items().size() == limit)
          .as("a page that goes on is full or says that it is partial")
          .isTrue();
      cursor = page.nextCursor();
      between.run();
    } while (cursor != null);
    assertThat(ids).doesNotHaveDuplicates();
    assertThat(ids).isSortedAccordingTo(Comparator.comparing(UUID::toString).reversed());
    return ids;
  }

  private List<UUID> found(JobFilter filter) {
    return walk(filter, 500);
  }

  /** A job in each state there is. */
  private Map<JobState, UUID> oneOfEach() {
    Map<JobState, UUID> jobs = new EnumMap<>(JobState.class);
    jobs.put(JobState.SUCCEEDED, submit(JobRequest.of("ok", 1), JobState.SUCCEEDED));
    jobs.put(JobState.DEAD, submit(JobRequest.of("fatal", "No such card"), JobState.DEAD));
    jobs.put(
        JobState.SCHEDULED, submit(JobRequest.of("retry", "Host is AWAY"), JobState.SCHEDULED));
    jobs.put(JobState.RUNNING, submit(JobRequest.of("hold", 1), JobState.RUNNING));
    jobs.put(JobState.RUNNABLE, submit(JobRequest.of("nobody", 1)));
    UUID cancelled = submit(JobRequest.of("ok", 1).withDelay(LATER));
    millpond.cancel(cancelled);
    jobs.put(JobState.CANCELLED, cancelled);
    UUID waiting = submit(JobRequest.of("ok", 1).withDelay(LATER));
    database.update(
        "UPDATE millpond.job_state SET phase = 'waiting', wait_reason = 'limit', run_at = NULL"
            + " WHERE job_id = ?",
        waiting);
    jobs.put(JobState.WAITING, waiting);
    assertThat(jobs).hasSameSizeAs(JobState.values());
    return jobs;
  }

  @Test
  void eachStateFindsItsOwn() {
    Map<JobState, UUID> jobs = oneOfEach();
    jobs.forEach((state, id) ->
        assertThat(found(ALL.withStates(state))).as("%s", state).containsExactly(id));
    assertThat(found(ALL)).containsExactlyInAnyOrderElementsOf(jobs.values());
    assertThat(found(ALL.withStates(JobState.values()))).hasSize(jobs.size());
    assertThat(found(ALL.withStates(JobState.DEAD, JobState.WAITING)))
        .containsExactlyInAnyOrder(jobs.get(JobState.DEAD), jobs.get(JobState.WAITING));
    assertThat(found(ALL.withStates(JobState.RUNNABLE, JobState.RUNNING)))
        .containsExactlyInAnyOrder(jobs.get(JobState.RUNNABLE), jobs.get(JobState.RUNNING));
  }

  @Test
  void aSummarySaysWhatALookAtTheJobSays() {
    oneOfEach();
    for (JobSummary job : millpond.jobs(ALL, null, 500).items()) {
      JobView view = millpond.find(job.id()).orElseThrow();
      JobSummary.Status status = job.status();
      assertThat(status.state()).isEqualTo(view.state());
      assertThat(status.waitReason()).isEqualTo(view.waitReason());
      assertThat(status.attempt()).isEqualTo(view.attempt());
      assertThat(status.timing()).isEqualTo(view.timing());
      assertThat(status.progress()).isEqualTo(view.progress());
      assertThat(job.options()).isEqualTo(view.request().options());
      assertThat(job.kind()).isEqualTo(view.request().kind());
      assertThat(status.error() == null).isEqualTo(view.error() == null);
      if (status.error() != null && view.error() != null) {
        assertThat(status.error().type()).isEqualTo(view.error().type());
        assertThat(status.error().message()).isEqualTo(view.error().message());
        assertThat(status.error().stack()).isNull();
      }
    }
    for (JobView job : millpond.wholeJobs(ALL, null, 500).items()) {
      JobView view = millpond.find(job.id()).orElseThrow();
      assertThat(job)
          .usingRecursiveComparison()
          .ignoringFields("holder", "nextStep")
          .isEqualTo(view);
    }
  }

  @Test
  void aJobThatWasCancelledOnItsWayIsCancelled() {
    UUID id = submit(JobRequest.of("nobody", 1));
    database.update(
        "INSERT INTO millpond.job_state (job_id, queue, class, kind, phase, lease_token, attempt)"
            + " VALUES (?, 'default', 'normal', 'nobody', 'runnable', 1, 1)",
        id);
    millpond.cancel(id);
    assertThat(database.number("SELECT count(*) FROM millpond.job_state")).isEqualTo(1);
    assertThat(found(ALL.withStates(JobState.CANCELLED))).containsExactly(id);
    assertThat(found(ALL.withStates(JobState.RUNNABLE))).isEmpty();
  }

  @Test
  void namesTagsAndTimesFindTheirOwn() throws InterruptedException {
    JobOptions tagged = JobOptions.DEFAULT.withTags("red", "import");
    UUID first = submit(JobRequest.of("nobody", 1).withQueue("slow"), JobState.RUNNABLE);
    awaitNextMillisecond();
    UUID second = submit(JobRequest.of("nobody", 2).withOptions(tagged).withDelay(LATER));
    awaitNextMillisecond();
    UUID third = submit(JobRequest.of("other", 3).withOptions(tagged.withMaxAttempts(2)));
    assertThat(found(ALL.withQueue("slow"))).containsExactly(first);
    assertThat(found(ALL.withKind("other"))).containsExactly(third);
    assertThat(found(ALL.withTag("import"))).containsExactly(third, second);
    assertThat(found(ALL.withTag("imp"))).isEmpty();
    assertThat(found(ALL.withTag("tags"))).isEmpty();
    assertThat(found(ALL.withTag("red").withStates(JobState.SCHEDULED))).containsExactly(second);
    assertThat(found(ALL.withSince(createdAt(second)))).containsExactly(third, second);
    assertThat(found(ALL.withUntil(createdAt(second)))).containsExactly(first);
    assertThat(found(ALL.withSince(createdAt(first).plusNanos(1)).withUntil(createdAt(third))))
        .containsExactly(second);
    assertThat(found(ALL.withUntil(Instant.parse("0001-01-01T00:00:00Z")))).isEmpty();
    assertThat(found(ALL.withSince(Instant.parse("9999-12-31T23:59:59Z")))).isEmpty();
    assertThat(found(ALL.withSince(createdAt(second)).withStates(JobState.SCHEDULED)))
        .containsExactly(second);
    assertThat(found(ALL.withUntil(createdAt(second)).withStates(JobState.SCHEDULED))).isEmpty();
  }

  private static Instant createdAt(UUID id) {
    return Instant.ofEpochMilli(id.getMostSignificantBits() >>> 16);
  }

  /** Ids of one millisecond are in no order. */
  private static void awaitNextMillisecond() {
    long now = System.currentTimeMillis();
    Fleet.until("the next milliseconds", () -> System.currentTimeMillis() > now + 1);
  }

  @Test
  void theTextOfTheLastErrorFindsItsJob() {
    Map<JobState, UUID> jobs = oneOfEach();
    UUID dead = requireNonNull(jobs.get(JobState.DEAD));
    UUID scheduled = requireNonNull(jobs.get(JobState.SCHEDULED));
    assertThat(found(ALL.withError("no such CARD"))).containsExactly(dead);
    assertThat(found(ALL.withError("fatalJOBexception"))).containsExactly(dead);
    assertThat(found(ALL.withError("away"))).containsExactly(scheduled);
    assertThat(found(ALL.withError("away").withStates(JobState.SCHEDULED)))
        .containsExactly(scheduled);
    assertThat(found(ALL.withError("away").withStates(JobState.DEAD))).isEmpty();
    assertThat(found(ALL.withError("card").withStates(JobState.DEAD))).containsExactly(dead);
    assertThat(found(ALL.withError("exception").withKind("retry"))).containsExactly(scheduled);
    assertThat(found(ALL.withError("exception"))).containsExactly(scheduled, dead);
    assertThat(found(ALL.withError("a").withStates(JobState.SUCCEEDED))).isEmpty();
    assertThat(found(ALL.withError("%"))).isEmpty();
    millpond.redrive(dead);
    fleet.untilState(dead, JobState.DEAD);
    assertThat(found(ALL.withError("card"))).containsExactly(dead);
  }

  @Test
  void aPathFindsItsPayloads() {
    submit(JobRequest.of("nobody", new RawJson("{\"size\":12,\"name\":\"a\",\"tags\":[\"x\"]}")));
    submit(JobRequest.of("nobody", new RawJson("{\"name\":\"b\",\"on\":false,\"nil\":null}")));
    submit(JobRequest.of("nobody", new RawJson("{\"at\":\"2025-05-05\"}")).withDelay(LATER));
    PATHS.forEach((path, count) -> {
      assertThat(found(ALL.withPayload(path))).as(path).hasSize(count);
      assertThat(found(ALL.withPayload(path).withStates(JobState.SCHEDULED)))
          .as(path)
          .hasSizeLessThanOrEqualTo(1);
    });
  }

  @Test
  void aPathThatIsNoneIsRefusedWithItsPlace() {
    NO_PATHS.forEach((path, position) ->
        assertThatExceptionOfType(InvalidPathException.class)
            .isThrownBy(() -> millpond.jobs(ALL.withPayload(path), null, 10))
            .satisfies(e -> assertThat(e.position()).as(e.getMessage()).isEqualTo(position))
            .withMessageNotContaining("ERROR"));
  }

  @Test
  void aPayloadThatIsNoValueForJsonbIsSteppedOver() {
    UUID before = submit(JobRequest.of("nobody", 7));
    UUID broken = submit(JobRequest.of("nobody", 10_000_007));
    UUID bomb = submit(JobRequest.of("nobody", 10_000_008));
    UUID after = submit(JobRequest.of("nobody", 7));
    // Of the length of what they replace, which is counted.
    database.update("UPDATE millpond.job SET payload = '\"\\u0000\"' WHERE id = ?", broken);
    database.update("UPDATE millpond.job SET payload = '1e400000' WHERE id = ?", bomb);
    assertThat(found(ALL.withPayload("$ == 7"))).containsExactlyInAnyOrder(after, before);
    assertThat(found(ALL)).hasSize(4);
  }

  @Test
  void aPathThatTakesTooLongIsRefused() {
    String nested = "[".repeat(60) + "0,".repeat(20_000) + "0" + "]".repeat(60);
    submit(JobRequest.of("nobody", new RawJson(nested)));
    assertThatExceptionOfType(InvalidFilterException.class)
        .isThrownBy(() ->
            millpond.jobs(ALL.withPayload("$.** ? (exists(@.** ? (@.** == \"x\")))"), null, 1))
        .satisfies(e -> assertThat(e.parameter()).isEqualTo("payload"));
  }

  @Test
  void aWalkMeetsEachJobOnceWhileOthersComeAndEnd() {
    List<JobRequest> requests = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      JobRequest request = JobRequest.of(i % 3 == 0 ? "ok" : "nobody", i);
      requests.add(i % 5 == 0 ? request.withDelay(Duration.ofMillis(i)) : request);
    }
    Set<UUID> there = new HashSet<>(Fleet.submit(millpond, requests));
    for (int limit : new int[] {7, 60, 500}) {
      List<UUID> met = walk(ALL, limit, () -> Fleet.submit(millpond, JobRequest.of("ok", 0), 3));
      assertThat(met).containsAll(there);
      assertThat(walk(ALL.withKind("nobody"), limit)).hasSize(200);
    }
    Fleet.until(
        "all ok jobs", () -> found(ALL.withKind("ok").withStates(JobState.RUNNABLE)).isEmpty());
  }

  @Test
  void aLookThatFindsLittleInItsWindowIsPartialAndGoesOn() {
    UUID needle = submit(JobRequest.of("ok", "needle"), JobState.SUCCEEDED);
    insertSucceeded(55_000);
    JobFilter filter = ALL.withPayload("$ == \"needle\"");
    Page<JobSummary> first = millpond.jobs(filter, null, 10);
    assertThat(first.items()).isEmpty();
    assertThat(first.partial()).isTrue();
    assertThat(first.nextCursor()).isNotNull();
    assertThat(found(filter)).containsExactly(needle);
    assertThat(found(filter.withStates(JobState.SUCCEEDED))).containsExactly(needle);
    assertThat(found(filter.withStates(JobState.DEAD))).isEmpty();
    assertThat(found(ALL.withQueue("none"))).isEmpty();
    assertThat(walk(ALL.withStates(JobState.SUCCEEDED), 500)).hasSize(55_001);
  }

  /** Jobs of tomorrow, so that they are before all others in the list. */
  private static void insertSucceeded(int count) {
    database.update(
        "WITH j AS (INSERT INTO millpond.job (id, queue, class, kind, payload)"
            + " SELECT (left(millpond.uuid_floor(now() + interval '1 day'"
            + " + n * interval '10 ms')::text, 14) || '7' || substr(md5(n::text), 1, 3)"
            + " || '-8' || substr(md5(n::text), 4, 3) || '-' || substr(md5(n::text), 7, 12))::uuid,"
            + " 'default', 'normal', 'ok', n::text FROM generate_series(1, ?) AS n RETURNING id)"
            + " INSERT INTO millpond.job_outcome (job_id, outcome, attempt, lease_token)"
            + " SELECT id, 'succeeded', 1, 1 FROM j",
        count);
    database.update("ANALYZE millpond.job");
  }

  @Test
  void aPageOfLargeWholeJobsEndsEarlyAndGoesOn() {
    String large = "x".repeat(250_000);
    List<UUID> ids = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      ids.addAll(Fleet.submit(millpond, JobRequest.of("nobody", large), 10));
    }
    Page<JobView> first = millpond.wholeJobs(ALL, null, 50);
    assertThat(first.items()).hasSize(34);
    assertThat(first.partial()).isTrue();
    Page<JobView> second = millpond.wholeJobs(ALL, first.nextCursor(), 50);
    assertThat(second.items()).hasSize(16);
    assertThat(second.nextCursor()).isNull();
    Set<UUID> met = new HashSet<>();
    first.items().forEach(job -> met.add(job.id()));
    second.items().forEach(job -> met.add(job.id()));
    assertThat(met).containsExactlyInAnyOrderElementsOf(ids);
  }

  @Test
  void aLimitOutOfItsRangeIsRefused() {
    for (int limit : new int[] {0, -1, 501, Integer.MAX_VALUE}) {
      assertThatExceptionOfType(InvalidFilterException.class)
          .isThrownBy(() -> millpond.jobs(ALL, null, limit))
          .satisfies(e -> assertThat(e.parameter()).isEqualTo("limit"));
    }
  }

  @Test
  void aQueueShowsWhatRests() {
    oneOfEach();
    submit(JobRequest.of("ok", 1).withDelay(LATER));
    Fleet.until(
        "scheduled, waiting and dead jobs of the queue",
        () ->
            millpond.queues().stream()
                .anyMatch(queue -> queue.scheduled() == 3 && queue.dead() == 1));
  }

  @Test
  void theLogOfAJobIsReadInPages() {
    UUID held1 = submit(JobRequest.of("hold", 1), JobState.RUNNING);
    held.countDown();
    fleet.untilState(held1, JobState.SUCCEEDED);
    assertThat(millpond.log(held1, null, 10).orElseThrow().items())
        .singleElement()
        .satisfies(line -> assertThat(line.text()).isEqualTo("waiting"));
    for (int token = 1; token <= 2; token++) {
      for (int line = 101; line <= 103; line++) {
        database.update(
            "INSERT INTO millpond.job_log VALUES (?, ?, ?, now(), ?)",
            held1,
            token,
            line,
            token + "/" + line);
      }
    }
    List<String> lines = new ArrayList<>();
    String after = "1.100";
    do {
      Page<LogLine> page = millpond.log(held1, after, 2).orElseThrow();
      page.items().forEach(line -> lines.add(line.text()));
      after = page.nextCursor();
    } while (after != null);
    assertThat(lines).containsExactly("1/101", "1/102", "1/103", "2/101", "2/102", "2/103");
    assertThat(millpond.log(UUID.randomUUID(), null, 10)).isEmpty();
    for (String wrong : Arrays.asList("", "1", "1.", "a.b", "1.-1", "9999999999.1", "1.1.1")) {
      assertThatExceptionOfType(InvalidFilterException.class)
          .isThrownBy(() -> millpond.log(held1, wrong, 10));
    }
  }
}
