package dev.millpond.engine.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.millpond.api.HandlerOptions;
import dev.millpond.engine.admission.Watermarks;
import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.Claimed;
import dev.millpond.engine.dispatch.Claimed.Receipt;
import dev.millpond.engine.dispatch.Demand;
import dev.millpond.engine.dispatch.Dispatch;
import dev.millpond.engine.dispatch.KindPace;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.PriorityClasses;
import dev.millpond.engine.dispatch.Ways;
import dev.millpond.engine.dispatch.postgres.PostgresDispatch;
import dev.millpond.engine.flow.FlowSettings;
import dev.millpond.engine.flow.Limited;
import dev.millpond.engine.flow.Pauses;
import dev.millpond.engine.flow.QueueFlow;
import dev.millpond.engine.flush.Writer;
import dev.millpond.engine.lifecycle.store.IdTime;
import dev.millpond.engine.metrics.EngineMetrics;
import dev.millpond.engine.trace.Tracing;
import dev.millpond.engine.worker.HandlerRegistry.Registration;
import dev.millpond.engine.worker.WeightedLanes.Chunk;
import dev.millpond.engine.worker.store.ClaimStore.LoadedJob;
import dev.millpond.engine.worker.store.UserTransaction;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Who is served next, without running anything. */
class WeightedLanesTest {
  private static final Lane CRITICAL = new Lane("default", "critical");
  private static final Lane HIGH = new Lane("default", "high");
  private static final Lane NORMAL = new Lane("default", "normal");

  /** Batches at hand. */
  private static final int HELD = 4;

  private static final String NOWHERE = "jdbc:postgresql://127.0.0.1:1/none";

  private final Session session = new Session();
  private final Dispatch way = new PostgresDispatch(NOWHERE, session);
  private final Desk desk = desk();
  private final Registration<?> registration =
      new Registration<>(String.class, (job, payload) -> null, HandlerOptions.DEFAULT, null);
  private final KindPace pace = new KindPace();
  private FlowSettings settings = FlowSettings.none(PriorityClasses.DEFAULT);
  private Instant now = Instant.now().plus(Duration.ofDays(1));
  private final Supply supply = new Supply();
  private final WeightedLanes lanes =
      new WeightedLanes(() -> settings, pace, () -> now, supply, () -> false);
  private final Random random = new Random(5);
  private final Map<Lane, Integer> served = new HashMap<>();

  @Test
  void underLoadServedJobsFollowTheWeightsWithinTwoPoints() {
    serve(30_000, List.of(CRITICAL, HIGH, NORMAL));

    assertThat(share(CRITICAL)).isCloseTo(60, within(2.0));
    assertThat(share(HIGH)).isCloseTo(30, within(2.0));
    assertThat(share(NORMAL)).isCloseTo(10, within(2.0));
  }

  @Test
  void anIdleClassGivesItsShareToTheOthersByTheirWeights() {
    serve(30_000, List.of(HIGH, NORMAL));

    assertThat(share(HIGH)).isCloseTo(75, within(2.0));
    assertThat(share(NORMAL)).isCloseTo(25, within(2.0));
  }

  @Test
  void aClassThatWasIdleHasNoClaimToWhatItMissed() {
    serve(30_000, List.of(NORMAL));
    served.clear();

    serve(10_000, List.of(CRITICAL, NORMAL));

    assertThat(share(NORMAL)).isCloseTo(100.0 / 7, within(2.0));
  }

  @Test
  void aClassThatWasServedAloneIsNotMadeToPayForIt() {
    serve(30_000, List.of(NORMAL));
    while (lanes.take() != null) {
      served.clear(); // all of them are empty for a moment
    }

    serve(10_000, List.of(CRITICAL));
    served.clear();
    serve(10_000, List.of(CRITICAL, NORMAL));

    assertThat(share(NORMAL)).isCloseTo(100.0 / 7, within(2.0));
  }

  @Test
  void aClassThatIsEmptyUntilTheNextClaimComesInCatchesUp() {
    lanes.add(run(CRITICAL, "any", 1));
    lanes.add(run(HIGH, "any", 60));
    lanes.add(run(NORMAL, "any", 60));
    for (int i = 0; i < 9; i++) {
      lanes.take();
    }

    lanes.add(run(CRITICAL, "any", 60));

    for (int i = 0; i < 9; i++) {
      assertThat(Objects.requireNonNull(lanes.take()).run().lane()).isEqualTo(CRITICAL);
    }
  }

  @Test
  void weightsThatAreChangedCountFromTheNextChoiceOn() {
    serve(30_000, List.of(CRITICAL, HIGH, NORMAL));
    served.clear();

    set(new QueueFlow(null, null, Map.of("critical", 10, "normal", 60)));
    serve(10_000, List.of(CRITICAL, HIGH, NORMAL));

    assertThat(share(CRITICAL)).isCloseTo(10, within(2.0));
    assertThat(share(HIGH)).isCloseTo(30, within(2.0));
    assertThat(share(NORMAL)).isCloseTo(60, within(2.0));
  }

  @Test
  void aQueueThatHasStartedLongJobsAtASmallWeightDoesNotWaitForItsOldLeadAtALargerOne() {
    Lane other = new Lane("other", "normal");
    for (int i = 0; i < 50; i++) {
      pace.sample("hours", 3_600_000_000.0, 1);
      pace.sample("any", 1_000, 1);
    }
    setWeightOf("other", 1);
    lanes.add(run(NORMAL, "any", 1));
    lanes.take();
    lanes.add(run(other, "hours", 1));
    assertThat(Objects.requireNonNull(lanes.take()).run().lane()).isEqualTo(other);

    setWeightOf("other", 10_000);

    // An hour at a hundred times the weight is 36 seconds of the others, which are jobs of 1 ms.
    assertThat(jobsBefore(other)).isBetween(35_000, 37_000);
  }

  /** Jobs of the class {@code normal} that are started until another lane has its turn. */
  private int jobsBefore(Lane other) {
    lanes.add(run(other, "any", 1));
    for (int jobs = 0; ; jobs++) {
      lanes.add(run(NORMAL, "any", 1));
      if (Objects.requireNonNull(lanes.take()).run().lane().equals(other)) {
        return jobs;
      }
    }
  }

  @Test
  void theLeadOfAClassIsScaledToo() {
    for (int i = 0; i < 50; i++) {
      pace.sample("short", 2, 1);
    }
    set(new QueueFlow(null, null, Map.of("critical", 1)));
    lanes.add(run(NORMAL, "any", 1));
    lanes.take();
    lanes.add(run(CRITICAL, "short", 64));
    assertThat(size(lanes.take())).isEqualTo(64); // as many as 640 of the class normal

    set(new QueueFlow(null, null, Map.of("critical", 100)));

    assertThat(jobsBefore(CRITICAL)).isBetween(5, 8);
  }

  @Test
  void whatAClassIsBehindByDoesNotGrowWhenItsWeightFalls() {
    set(new QueueFlow(null, null, Map.of("critical", 10_000)));
    serve(2_000, List.of(CRITICAL, NORMAL));
    served.clear();

    set(new QueueFlow(null, null, Map.of("critical", 10)));
    serve(2_000, List.of(CRITICAL, NORMAL));

    assertThat(share(NORMAL)).isCloseTo(50, within(5.0));
  }

  @Test
  void aClaimAsksForWhatIsServedNextOfLanesThatHaveMoreAndForAShareOfTheOthers() {
    lanes.add(run(CRITICAL, "any", 1));
    lanes.add(run(HIGH, "any", 1));
    lanes.add(run(NORMAL, "any", 1));
    List<Lane> all = List.of(CRITICAL, HIGH, NORMAL);
    assertThat(lanes.missing(all, way, 20, 20, 50))
        .as("none was ever asked")
        .isEqualTo(Map.of(CRITICAL, 11, HIGH, 5, NORMAL, 1));
    supply.came(way, Demand.ofEach(all, Set.of(), 1), claimed(CRITICAL, NORMAL));

    assertThat(lanes.missing(all, way, 20, 20, 50))
        .as("high has only what is at hand")
        .isEqualTo(Map.of(CRITICAL, 15, HIGH, 5, NORMAL, 2));

    supply.came(way, Demand.ofEach(all, Set.of(), 1), claimed(NORMAL));
    assertThat(lanes.missing(all, way, 20, 20, 50))
        .as("one lane has more")
        .isEqualTo(Map.of(CRITICAL, 11, HIGH, 5, NORMAL, 17));

    supply.came(way, Demand.ofEach(all, Set.of(), 1), List.of());
    assertThat(lanes.missing(all, way, 20, 20, 50)).as("none has more").isEmpty();
  }

  @Test
  void aClaimAsksForNoMoreThanItMay() {
    List<Lane> all = List.of(CRITICAL, HIGH, NORMAL);

    Map<Lane, Integer> missing = lanes.missing(all, way, 20, 20, 10);

    assertThat(missing.values().stream().mapToInt(Integer::intValue).sum()).isEqualTo(10);
  }

  @Test
  void ofALaneThatAgesOneBatchIsAtHandHoweverLittleItWeighs() {
    set(new QueueFlow(null, Duration.ofSeconds(10), Map.of("critical", 10_000, "normal", 1)));
    List<Lane> all = List.of(CRITICAL, NORMAL);
    supply.came(way, Demand.ofEach(all, Set.of(), 1), claimed(CRITICAL, NORMAL));

    assertThat(lanes.missing(all, way, 4, 4, 16)).containsEntry(NORMAL, 1);
  }

  @Test
  void batchesThatAreNotRunHereCountAsServed() {
    for (int i = 0; i < 60; i++) {
      lanes.passedOver(run(CRITICAL, "unknown", 10).claimed().batch());
    }

    assertThat(lanes.missing(List.of(CRITICAL, NORMAL), way, 1, 1, 16)).containsKey(NORMAL);
    assertThat(lanes.missing(List.of(CRITICAL, NORMAL), way, 1, 1, 16)).doesNotContainKey(CRITICAL);
  }

  private List<Claimed> claimed(Lane... of) {
    return Stream.of(of).map(lane -> run(lane, "any", 1).claimed()).toList();
  }

  @Test
  void queuesShareTheTimeOfTheSlotsWhateverTheirClassesAndJobsAre() {
    Lane slow = new Lane("slow", "critical");
    for (int i = 0; i < 50; i++) {
      pace.sample("any", 1_000, 1);
      pace.sample("slow", 10_000, 1);
    }

    serve(30_000, List.of(NORMAL, HIGH, slow));

    double inDefault = share(NORMAL) + share(HIGH);
    assertThat(share(slow) * 10).isCloseTo(inDefault, within(2.0));
    assertThat(share(HIGH) / inDefault).isCloseTo(0.75, within(0.02));
  }

  @Test
  void aQueueOfTwiceTheWeightGetsTwiceTheTime() {
    Lane other = new Lane("other", "normal");
    setWeightOf("other", 200);

    serve(30_000, List.of(CRITICAL, other));

    assertThat(share(other)).isCloseTo(200.0 / 3, within(2.0));
  }

  /** What weighs next to nothing was chosen alone, while the other waited for its claim. */
  @Test
  void aQueueThatComesIsLevelWithThoseThatHaveWorkNotWithTheOneThatWasChosenLast() {
    Lane tiny = new Lane("tiny", "normal");
    Lane light = new Lane("light", "normal");
    Lane heavy = new Lane("heavy", "normal");
    Map<String, QueueFlow> weights =
        Map.of(
            "tiny",
            new QueueFlow(1, null, Map.of()),
            "light",
            new QueueFlow(100, null, Map.of()),
            "heavy",
            new QueueFlow(300, null, Map.of()));
    settings =
        new FlowSettings(
            settings.version() + 1,
            PriorityClasses.DEFAULT,
            Watermarks.NONE,
            weights,
            Pauses.NONE,
            Limited.NONE);
    serve(10_000, List.of(tiny, light));
    while (lanes.take() != null) {
      served.clear(); // the claim of more takes a while
    }
    for (int i = 0; i < 500; i++) {
      lanes.add(run(tiny, "any", 1));
      assertThat(size(lanes.take())).isEqualTo(1);
    }

    serve(2_000, List.of(tiny, light, heavy));

    assertThat(share(heavy)).isCloseTo(75, within(3.0));
  }

  @Test
  void withAnAgingBoundWhatIsRunnableForLongerIsServedInEverySecondTurnAtMost() {
    set(new QueueFlow(null, Duration.ofSeconds(10), Map.of()));
    now = Instant.now();
    UUID old = IdTime.lowest(now.minusSeconds(11).toEpochMilli());
    UUID young = IdTime.lowest(now.minusSeconds(9).toEpochMilli());
    for (int i = 0; i < 40; i++) {
      lanes.add(run(NORMAL, "any", 1, old));
      lanes.add(run(CRITICAL, "any", 1, young));
    }

    int aged = 0;
    for (int i = 0; i < 40; i++) {
      aged += Objects.requireNonNull(lanes.take()).run().lane().equals(NORMAL) ? 1 : 0;
    }

    assertThat(aged).isBetween(20, 24); // every second one, and by its weight of the others
  }

  @Test
  void noClassStarves() {
    int longest = 0;
    int since = 0;
    for (int i = 0; i < 20_000; i++) {
      fill(List.of(CRITICAL, HIGH, NORMAL));
      Chunk chunk = Objects.requireNonNull(lanes.take());
      since = chunk.run().lane().equals(NORMAL) ? 0 : since + 1;
      longest = Math.max(longest, since);
    }

    assertThat(longest).isLessThan(200);
  }

  @Test
  void shortJobsAreTakenManyAtATimeAndLongOnesOneByOne() {
    for (int i = 0; i < 50; i++) {
      pace.sample("short", 2, 1);
      pace.sample("long", 500_000, 1);
    }
    lanes.add(run(NORMAL, "short", 64));
    assertThat(size(lanes.take())).isEqualTo(64);
    lanes.add(run(NORMAL, "long", 3));
    assertThat(size(lanes.take())).isEqualTo(1);
    assertThat(size(lanes.take())).isEqualTo(1);
    assertThat(size(lanes.take())).isEqualTo(1);
    assertThat(lanes.take()).isNull();
  }

  private void set(QueueFlow queue) {
    set("default", queue);
  }

  private void setWeightOf(String queue, int weight) {
    set(queue, new QueueFlow(weight, null, Map.of()));
  }

  private void set(String name, QueueFlow queue) {
    settings =
        new FlowSettings(
            settings.version() + 1,
            PriorityClasses.DEFAULT,
            Watermarks.NONE,
            Map.of(name, queue),
            Pauses.NONE,
            Limited.NONE);
  }

  private static int size(@Nullable Chunk chunk) {
    return chunk == null ? 0 : chunk.attempts().size();
  }

  private void serve(int jobs, List<Lane> with) {
    int done = 0;
    while (done < jobs) {
      fill(with);
      Chunk chunk = Objects.requireNonNull(lanes.take());
      done += chunk.attempts().size();
      served.merge(chunk.run().lane(), chunk.attempts().size(), Integer::sum);
    }
  }

  /** Claims batches of uneven size from lanes that have any number of them. */
  private void fill(List<Lane> with) {
    Set<Lane> known = new HashSet<>(with);
    known.addAll(List.of(CRITICAL, HIGH, NORMAL));
    Map<Lane, Integer> missing = lanes.missing(List.copyOf(known), way, HELD, HELD, HELD);
    if (missing.isEmpty() && lanes.ready() >= HELD) {
      return;
    }
    Demand demand =
        missing.isEmpty()
            ? Demand.ofEach(known, Set.of(), HELD - lanes.ready())
            : new Demand(missing, Set.of(), true);
    List<Claimed> claimed = new ArrayList<>();
    demand
        .batches()
        .forEach((lane, batches) -> {
          for (int i = 0; i < batches && with.contains(lane); i++) {
            String kind = lane.queue().equals("slow") ? "slow" : "any";
            BatchRun run = run(lane, kind, 1 + random.nextInt(64));
            lanes.add(run);
            claimed.add(run.claimed());
          }
        });
    supply.came(way, demand, claimed);
  }

  /** A desk whose writer is never started: nothing here is run or written. */
  private Desk desk() {
    EngineMetrics metrics = new EngineMetrics(new SimpleMeterRegistry());
    BatchMaker maker = new BatchMaker(UUID::randomUUID, 1);
    Writer writer =
        new Writer(NOWHERE, session, maker, new KindPace(), new Ways(List.of(), way), metrics);
    return new Desk(
        writer,
        metrics,
        new RunTraces(Tracing.NONE, session),
        InstantSource.system(),
        new UserTransaction(NOWHERE, session, Duration.ofSeconds(1), 1_000));
  }

  private double share(Lane lane) {
    int all = served.values().stream().mapToInt(Integer::intValue).sum();
    return 100.0 * served.getOrDefault(lane, 0) / all;
  }

  private BatchRun run(Lane lane, String kind, int jobs) {
    return run(lane, kind, jobs, UUID.randomUUID());
  }

  private BatchRun run(Lane lane, String kind, int jobs, UUID row) {
    UUID[] ids = new UUID[jobs];
    for (int i = 0; i < jobs; i++) {
      ids[i] = UUID.randomUUID();
    }
    Batch batch = new Batch(row, lane, kind, 0, ids, null);
    BatchRun run = new BatchRun(new Claimed(batch, new Receipt.Row()), way, registration, desk);
    for (UUID id : ids) {
      run.add(
          Attempt.of(run, new LoadedJob(id, 1, 1, false, "null", null), HandlerOptions.DEFAULT));
    }
    return run;
  }
}
