package dev.millpond.engine.admission;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.api.JobRequest;
import dev.millpond.api.JobState;
import dev.millpond.api.SubmitOptions;
import dev.millpond.api.SubmitResult;
import dev.millpond.api.SubmitResult.Accepted;
import dev.millpond.api.SubmitResult.Existing;
import dev.millpond.api.SubmitResult.Measure;
import dev.millpond.api.SubmitResult.Refused;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.admission.Watermarks.Mark;
import dev.millpond.engine.flow.QueueChange;
import dev.millpond.engine.flow.Setting;
import dev.millpond.engine.threads.ThreadFault;
import dev.millpond.faults.FaultProxy;
import dev.millpond.faults.Way;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Full queues: what comes in, what does not, who waits, and who says so. */
@Order(1) // takes long: begins first
class GateIT {
  private static final JobRequest JOB = JobRequest.of("kind", "payload");

  /** A look at a closed gate every tenth of a second, and what a busy machine needs. */
  private static final Duration OPENED = Duration.ofSeconds(5);

  private static final Duration LONG = Duration.ofSeconds(30);

  private static Database database;
  private Fleet fleet;

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
  }

  @AfterEach
  void stop() {
    fleet.end();
  }

  private MillpondConfig marks(long high, long low) {
    return fleet.config().withWatermarks(new Watermarks(high, low));
  }

  private static SubmitResult now(Millpond to) {
    return to.submit(JOB, SubmitOptions.NO_WAIT);
  }

  private static List<JobRequest> batch(int jobs) {
    return Collections.nCopies(jobs, JOB);
  }

  /** Submits one by one until it is refused; the ids. */
  private static List<UUID> fill(Millpond to) {
    List<UUID> ids = new ArrayList<>();
    SubmitResult result = now(to);
    while (result instanceof Accepted accepted) {
      ids.add(accepted.id());
      result = now(to);
    }
    return ids;
  }

  private static void cancel(Millpond by, List<UUID> ids) {
    ids.forEach(by::cancel);
  }

  private static void untilOpen(Millpond to) {
    await().atMost(OPENED).until(() -> now(to) instanceof Accepted);
  }

  private static boolean closed(Millpond seen) {
    return seen.queues().getFirst().closed();
  }

  @Test
  void itClosesAtTheHighMarkAndOpensBelowTheLowOne() {
    Millpond node = fleet.producer(marks(100, 20));
    List<UUID> ids = fill(node);
    assertThat(ids).hasSize(100);
    assertThat(now(node))
        .isInstanceOfSatisfying(
            Refused.class,
            refused -> {
              assertThat(refused.queue()).isEqualTo("default");
              assertThat(refused.depth()).isEqualTo(100);
              assertThat(refused.highWatermark()).isEqualTo(100);
              assertThat(refused.lowWatermark()).isEqualTo(20);
              assertThat(refused.retryAfter()).isEqualTo(Duration.ofSeconds(60));
            });
    await().atMost(OPENED).until(() -> closed(node));

    cancel(node, ids.subList(0, 80)); // 20 are left, which is not below the low mark
    Millpond later = fleet.producer(marks(100, 20));
    assertThat(now(later)).isInstanceOf(Refused.class);
    assertThat(now(node)).isInstanceOf(Refused.class);

    cancel(node, ids.subList(80, 81));
    untilOpen(node);
    untilOpen(later);
    assertThat(closed(node)).isFalse();
    fleet.assertCounted("refused", (long) fleet.counted("refused"));
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void severalProcessesComeBeyondTheMarkByAFlushEachAtMost(int processes) throws Exception {
    int high = 600;
    int lot = 40;
    List<Millpond> nodes = new ArrayList<>();
    for (int i = 0; i < processes; i++) {
      nodes.add(fleet.producer(marks(high, 100)));
    }
    try (ExecutorService all = Executors.newFixedThreadPool(processes)) {
      List<Future<Integer>> accepted =
          nodes.stream().map(node -> all.submit(() -> flood(node, lot))).toList();
      int jobs = 0;
      for (Future<Integer> each : accepted) {
        jobs += each.get();
      }
      assertThat(jobs).isBetween(high, high + processes * lot);
      assertThat(database.depth()).isEqualTo(jobs);
    }
  }

  /** Submits lots until one is refused; jobs that were accepted. */
  private static int flood(Millpond node, int lot) {
    int jobs = 0;
    while (node.submit(batch(lot), SubmitOptions.NO_WAIT).getFirst() instanceof Accepted) {
      jobs += lot;
    }
    return jobs;
  }

  @Test
  void anOpenGateTakesAWholeBatch() {
    Millpond node = fleet.producer(marks(100, 20));
    assertThat(node.submit(batch(5_000), SubmitOptions.NO_WAIT)).hasSize(5_000);
    assertThat(now(node)).isInstanceOf(Refused.class);
    List<SubmitResult> refused = node.submit(batch(3), SubmitOptions.NO_WAIT);
    assertThat(refused).hasSize(3).allMatch(Refused.class::isInstance);
    assertThat(database.depth()).isEqualTo(5_000);
  }

  /** Full at a thousand bytes, and again open below two hundred; jobs do not count. */
  private MillpondConfig byteMarks() {
    return fleet.config().withWatermarks(new Watermarks(Mark.NONE, new Mark(1_000, 200)));
  }

  private static SubmitResult text(Millpond to, int characters) {
    JobRequest job = JobRequest.of("kind", "\u00e4".repeat(characters)); // two bytes each
    return to.submit(job, SubmitOptions.NO_WAIT);
  }

  @Test
  void aQueueIsFullOfBytesAsWellAndOpensBelowTheLowMark() {
    Millpond node = fleet.producer(byteMarks());
    List<UUID> ids = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      ids.add(((Accepted) text(node, 49)).id()); // with its quotation marks 100 bytes
    }
    assertThat(text(node, 49))
        .isInstanceOfSatisfying(
            Refused.class,
            refused -> {
              assertThat(refused.measure()).isEqualTo(Measure.PAYLOAD_BYTES);
              assertThat(refused.depth()).isEqualTo(1_000);
              assertThat(refused.highWatermark()).isEqualTo(1_000);
              assertThat(refused.lowWatermark()).isEqualTo(200);
            });
    assertThat(node.queues().getFirst().payloadBytes()).isEqualTo(1_000);
    await().atMost(OPENED).until(() -> closed(node));

    cancel(node, ids.subList(0, 8)); // 200 bytes are left, which is not below the low mark
    Millpond later = fleet.producer(byteMarks());
    assertThat(text(later, 1)).isInstanceOf(Refused.class);
    cancel(node, ids.subList(8, 9));
    await().atMost(OPENED).until(() -> text(later, 1) instanceof Accepted);
    assertThat(database.number("SELECT sum(bytes) FROM millpond.queue_depth")).isEqualTo(104);
  }

  @Test
  void aSubmitThatWaitsForBytesComesInOnceTheyHaveLeft() {
    Millpond node = fleet.producer(byteMarks());
    UUID large = ((Accepted) text(node, 1_000)).id(); // an open gate takes a job of any size
    CompletableFuture<SubmitResult> waiting = waits(node);
    assertThat(text(node, 1)).isInstanceOf(Refused.class);
    cancel(node, List.of(large));
    await().atMost(OPENED).until(waiting::isDone);
    assertThat(waiting.join()).isInstanceOf(Accepted.class);
  }

  @Test
  void losingRedisOpensNoGateOfFourProcesses() {
    fleet.close();
    fleet = Fleet.on(database, Mode.STREAMS);
    List<Millpond> nodes = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      nodes.add(fleet.producer(marks(200, 50)));
    }
    fill(nodes.getFirst());
    assertThat(nodes).allMatch(node -> now(node) instanceof Refused);

    fleet.redis().empty();

    assertThat(nodes).allMatch(node -> now(node) instanceof Refused);
    Millpond fifth = fleet.producer(marks(200, 50));
    assertThat(now(fifth)).isInstanceOf(Refused.class);
    assertThat(database.depth()).isEqualTo(200);
    fleet.maintainer(marks(200, 50));
    fleet.worker(
        marks(200, 50), worker -> worker.registerHandler("kind", String.class, (c, p) -> "done"));
    fleet.untilEnded(200);
    nodes.forEach(GateIT::untilOpen);
  }

  @Test
  void submitsWhoseKeysAreKnownPassAClosedGate() {
    Millpond node = fleet.producer(marks(50, 10));
    JobRequest keyed = JOB.withOptions(JOB.options().withIdempotencyKey("one"));
    UUID first = ((Accepted) node.submit(keyed)).id();
    List<UUID> whole = Fleet.ids(node.submit(batch(5), "all"));
    fill(node);

    JobRequest other = JOB.withOptions(JOB.options().withIdempotencyKey("two"));
    Millpond stranger = fleet.producer(marks(50, 10)); // does not know that it is closed
    for (Millpond each : List.of(node, stranger)) {
      assertThat(each.submit(keyed, SubmitOptions.NO_WAIT)).isEqualTo(new Existing(first));
      assertThat(each.submit(other, SubmitOptions.NO_WAIT)).isInstanceOf(Refused.class);
      assertThat(Fleet.ids(each.submit(batch(5), SubmitOptions.NO_WAIT.withRequestKey("all"))))
          .isEqualTo(whole);
      assertThat(each.submit(batch(5), SubmitOptions.NO_WAIT.withRequestKey("more")))
          .hasSize(5)
          .allMatch(Refused.class::isInstance);
    }
    assertThat(database.depth()).isEqualTo(50);
  }

  @Test
  void scheduledJobsPassAClosedGate() {
    Millpond node = fleet.producer(marks(10, 2));
    fill(node);
    JobRequest tomorrow = JOB.withDelay(Duration.ofDays(1));
    UUID id = ((Accepted) node.submit(tomorrow, SubmitOptions.NO_WAIT)).id();
    assertThat(node.find(id).orElseThrow().state()).isEqualTo(JobState.SCHEDULED);
  }

  @Test
  void thoseWhoWaitComeInInTheirOrderAsFarAsThereIsRoom() {
    Millpond node = fleet.producer(marks(10, 9));
    List<UUID> ids = fill(node);
    List<CompletableFuture<SubmitResult>> waiting = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      waiting.add(waits(node));
    }
    assertThat(waiting).noneMatch(CompletableFuture::isDone);

    cancel(node, ids.subList(0, 2)); // below the low mark, with room for two
    await().atMost(OPENED).until(() -> waiting.get(0).isDone() && waiting.get(1).isDone());
    await().during(Duration.ofMillis(300)).atMost(OPENED).until(() -> !waiting.get(2).isDone());
    assertThat(waiting.get(0).join()).isInstanceOf(Accepted.class);
    assertThat(waiting.get(1).join()).isInstanceOf(Accepted.class);

    cancel(node, ids.subList(2, 6));
    await().atMost(OPENED).until(() -> waiting.stream().allMatch(CompletableFuture::isDone));
    assertThat(waiting).allMatch(each -> each.join() instanceof Accepted);
  }

  private static CompletableFuture<SubmitResult> waits(Millpond node) {
    return node.submitAsync(List.of(JOB), SubmitOptions.waiting(LONG)).thenApply(List::getFirst);
  }

  @Test
  void aBlockedSubmitComesInOnceJobsHaveLeft() throws Exception {
    Millpond node = fleet.producer(marks(10, 2));
    fill(node);
    CompletableFuture<SubmitResult> blocked =
        CompletableFuture.supplyAsync(() -> node.submit(JOB, SubmitOptions.waiting(LONG)));
    fleet.maintainer(marks(10, 2));
    fleet.worker(
        marks(10, 2), worker -> worker.registerHandler("kind", String.class, (c, p) -> "done"));
    assertThat(blocked.get(20, TimeUnit.SECONDS)).isInstanceOf(Accepted.class);
    fleet.untilEnded(11);
  }

  @Test
  void whoeverWaitsIsRefusedWhenHisTimeIsUp() {
    Millpond node = fleet.producer(marks(10, 2));
    fill(node);
    long began = System.nanoTime();
    SubmitResult result = node.submit(JOB, SubmitOptions.waiting(Duration.ofMillis(700)));
    assertThat(result).isInstanceOf(Refused.class);
    assertThat(Duration.ofNanos(System.nanoTime() - began))
        .isBetween(Duration.ofMillis(700), Duration.ofSeconds(5));
  }

  @Test
  void whoeverIsGoneFreesHisPlace() {
    Millpond node = fleet.producer(marks(10, 2));
    fill(node);
    CompletableFuture<List<SubmitResult>> gone =
        node.submitAsync(List.of(JOB), SubmitOptions.waiting(LONG).withGone(() -> true));
    await().atMost(OPENED).until(gone::isDone);
    assertThat(gone.join().getFirst()).isInstanceOf(Refused.class);
  }

  @Test
  void theWaitingRoomIsBoundedAndWhoFindsNoPlaceIsRefusedAtOnce() {
    Millpond node = fleet.producer(marks(10, 2));
    fill(node);
    List<CompletableFuture<SubmitResult>> waiting = new ArrayList<>();
    for (int i = 0; i < WaitingRoom.PLACES; i++) {
      waiting.add(waits(node));
    }
    assertThat(waits(node).join()).isInstanceOf(Refused.class);
    assertThat(waiting).noneMatch(CompletableFuture::isDone);
    fleet.leave(node);
    assertThat(waiting).allMatch(each -> each.join() instanceof Refused);
  }

  @Test
  void thoseWhoWaitAreAnsweredAtTheCloseWhateverFollowsTheirAnswer() {
    Millpond node = fleet.producer(marks(10, 2));
    fill(node);
    List<CompletableFuture<SubmitResult>> all = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      CompletableFuture<SubmitResult> first = waits(node);
      // One that submits again, and one that fails, on whatever thread tells it.
      all.add(first.thenCompose(refused -> node.submitAsync(JOB)));
      CompletableFuture<Void> failing =
          first.thenAccept(refused -> {
            throw new IllegalStateException("of a user's code");
          });
      assertThat(failing).isNotDone();
      all.add(waits(node));
    }
    CompletableFuture<SubmitResult> blocked =
        CompletableFuture.supplyAsync(() -> node.submit(JOB, SubmitOptions.waiting(LONG)));
    await().atMost(OPENED).until(() -> fleet.gauged("millpond.submits.waiting") >= 41);

    fleet.leave(node);

    await()
        .atMost(OPENED)
        .until(() -> blocked.isDone() && all.stream().allMatch(CompletableFuture::isDone));
    assertThat(blocked.join()).isInstanceOf(Refused.class);
  }

  @Test
  void thoseWhoWaitAreAnsweredWhenTheThreadIsLostThatLooksAtGates() {
    ThreadGroup group = new ThreadGroup("victim");
    Millpond victim = ThreadFault.in(group, () -> fleet.producer(marks(10, 2)));
    List<UUID> ids = fill(victim);
    CompletableFuture<SubmitResult> waiting = waits(victim);
    try (ThreadFault fault = ThreadFault.of(ThreadFault.named(group, "millpond-gates"))) {
      assertThat(fault).isNotNull();
      await().atMost(OPENED).until(waiting::isDone);
    }
    assertThat(waiting.join()).isInstanceOf(Refused.class);
    assertThat(victim.lostThreads()).containsExactly("millpond-gates");
    assertThat(waits(victim).join()).isInstanceOf(Refused.class); // at once: nobody waits any more

    // Not by the victim: the fault has left one of its pool's connections in the middle of a
    // message.
    Millpond other = fleet.producer(marks(10, 2));
    cancel(other, ids);
    untilOpen(other); // who finds it closed opens it for everybody
    untilOpen(victim);
    fleet.leave(victim);
  }

  @Test
  void whileDatabaseIsFrozenThoseWhoWaitAreRefusedInTime() throws Exception {
    try (FaultProxy proxy = FaultProxy.postgres(database.url())) {
      MillpondConfig through =
          MillpondConfig.of(proxy.url())
              .withTiming(Fleet.TIMING)
              .withWatermarks(new Watermarks(10, 2));
      Millpond node = fleet.producer(through);
      fill(node);
      CompletableFuture<SubmitResult> blocked =
          CompletableFuture.supplyAsync(
              () -> node.submit(JOB, SubmitOptions.waiting(Duration.ofSeconds(2))));
      await().atMost(OPENED).until(() -> fleet.gauged("millpond.submits.waiting") >= 1);
      proxy.bothWays(Way.SILENT);
      assertThat(blocked.get(10, TimeUnit.SECONDS)).isInstanceOf(Refused.class);
      proxy.bothWays(Way.CLEAR);
      untilRefused(node);
      fleet.leave(node);
    }
  }

  /** After an outage: until it is answered by its queue again. */
  private static void untilRefused(Millpond node) {
    Fleet.until(
        "answers of the gate",
        () -> {
          try {
            return now(node) instanceof Refused;
          } catch (dev.millpond.api.UnavailableException e) {
            return false;
          }
        });
  }

  @Test
  void marksThatAreChangedHoldAtOnce() {
    Millpond node = fleet.producer(marks(50, 10));
    Millpond other = fleet.producer(marks(50, 10));
    fill(node);
    assertThat(now(other)).isInstanceOf(Refused.class);

    node.flow().changeQueue("default", high(60L));
    untilOpen(node);
    assertThat(fill(node)).hasSizeLessThan(10);
    await().atMost(OPENED).until(() -> now(other) instanceof Refused);

    node.flow().changeQueue("default", high(Watermarks.NO_MARK));
    untilOpen(node);
    untilOpen(other);
    assertThat(node.submit(batch(200), SubmitOptions.NO_WAIT)).allMatch(Accepted.class::isInstance);
    node.flow().changeQueue("default", high(null));
    await().atMost(OPENED).until(() -> now(node) instanceof Refused);
    await().atMost(OPENED).until(() -> now(other) instanceof Refused);
  }

  private static QueueChange high(@Nullable Long mark) {
    return QueueChange.NONE.withHighWatermark(Setting.to(mark));
  }

  @Test
  void withoutALeaderWhoeverAsksSumsTheDepth() {
    Millpond node = fleet.producer(marks(1_000_000, 10));
    database.update(
        "INSERT INTO millpond.queue_depth (queue, class, delta)"
            + " SELECT 'default', 'normal', (-1) ^ n FROM generate_series(1, 300000) AS n");
    Fleet.until(
        "few changes are left",
        () -> {
          now(node);
          return database.number("SELECT count(*) FROM millpond.queue_depth") < 1_000;
        });
  }

  @Test
  void anAcceptedJobIsToldWhenItWillStart() {
    Millpond node = fleet.producer(marks(100_000, 10));
    fleet.maintainer(marks(100_000, 10));
    MillpondConfig slow = marks(100_000, 10).withSlots(4);
    fleet.worker(
        slow,
        worker ->
            worker.registerHandler(
                "kind",
                String.class,
                (context, payload) -> {
                  TimeUnit.MILLISECONDS.sleep(20);
                  return "done";
                }));
    Fleet.submit(node, JOB, 600); // about three seconds of work
    fleet.untilEnded(200); // the rate is known

    Accepted last = (Accepted) node.submit(JOB);
    assertThat(last.estimatedStartAt()).isNotNull();
    Accepted later = (Accepted) node.submit(JOB.withDelay(Duration.ofHours(1)));
    assertThat(later.estimatedStartAt()).isNull();
    fleet.untilEnded(601);
    Instant started = requireNonNull(node.find(last.id()).orElseThrow().timing().startedAt());
    assertThat(Duration.between(started, last.estimatedStartAt()).abs())
        .isLessThan(Duration.ofSeconds(5));
    Fleet.until("a prediction that was measured", () -> fleet.timed("start.estimate.error") > 0);
  }

  @Test
  void aBatchOfTwoQueuesIsRefusedAsAWhole() {
    Millpond node = fleet.producer(marks(10, 2));
    fill(node);
    List<SubmitResult> both =
        node.submit(List.of(JOB.withQueue("other"), JOB), SubmitOptions.NO_WAIT);
    assertThat(both).hasSize(2).allMatch(Refused.class::isInstance);
    assertThat(node.submit(JOB.withQueue("other"), SubmitOptions.NO_WAIT))
        .isInstanceOf(Accepted.class);
    assertThat(database.depth()).isEqualTo(11);
  }
}
