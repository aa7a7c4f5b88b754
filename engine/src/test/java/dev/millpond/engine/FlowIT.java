package dev.millpond.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import dev.millpond.api.JobRequest;
import dev.millpond.api.JobState;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.admission.Watermarks;
import dev.millpond.engine.admission.Watermarks.Mark;
import dev.millpond.engine.dispatch.PriorityClasses;
import dev.millpond.engine.flow.FlowSettings;
import dev.millpond.engine.flow.InvalidSettingException;
import dev.millpond.engine.flow.QueueChange;
import dev.millpond.engine.flow.QueueFlow;
import dev.millpond.engine.flow.Setting;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What operators set while the fleet runs: who follows it, how soon, and what comes of it. */
class FlowIT {
  /** Of the promise; a look every half second, and what a busy machine needs. */
  private static final Duration FOLLOWED = Duration.ofSeconds(1);

  private static final Map<String, Integer> TURNED = Map.of("critical", 10, "normal", 60);

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

  private void start(Mode mode) {
    fleet = Fleet.on(database, mode);
  }

  @Test
  void aChangeHoldsAtOnceWhereItWasMadeAndWithinASecondElsewhere() {
    Millpond here = fleet.producer();
    Millpond there = fleet.producer();

    here.flow().setWeights("mail", TURNED);

    assertThat(weights(here)).containsExactlyInAnyOrderEntriesOf(turned());
    await().atMost(FOLLOWED).until(() -> weights(there).equals(turned()));
    there.flow().resetWeights("mail");
    assertThat(weights(there)).isEqualTo(PriorityClasses.DEFAULT.weights());
    await().atMost(FOLLOWED).until(() -> weights(here).equals(weights(there)));
  }

  @Test
  void settingsOutliveAllProcesses() {
    Millpond first = fleet.producer();
    Millpond second = fleet.producer();
    first.flow().setWeights("mail", TURNED);
    QueueChange change =
        QueueChange.NONE.withWeight(Setting.to(300)).withAging(Setting.to(Duration.ofSeconds(30)));
    second.flow().changeQueue("mail", change);
    fleet.leave(first);
    fleet.leave(second);

    FlowSettings later = fleet.producer().flow().settings();

    assertThat(later.queue("mail")).isEqualTo(new QueueFlow(300, Duration.ofSeconds(30), TURNED));
  }

  @Test
  void whatAChangeDoesNotNameStaysAndADefaultIsRestored() {
    Millpond node = fleet.producer();
    node.flow().setWeights("mail", TURNED);
    node.flow().changeQueue("mail", QueueChange.NONE.withWeight(Setting.to(7)));
    node.flow().changeQueue("mail", QueueChange.NONE.withAging(Setting.to(Duration.ofMinutes(1))));
    assertThat(node.flow().settings().queue("mail"))
        .isEqualTo(new QueueFlow(7, Duration.ofMinutes(1), TURNED));

    node.flow().changeQueue("mail", QueueChange.NONE.withWeight(Setting.to(null)));
    node.flow().setWeights("mail", Map.of("high", 1));

    assertThat(node.flow().settings().queue("mail"))
        .isEqualTo(new QueueFlow(null, Duration.ofMinutes(1), Map.of("high", 1)));
    assertThat(node.flow().settings().queueWeight("mail")).isEqualTo(FlowSettings.QUEUE_WEIGHT);
    assertThat(weights(node)).containsEntry("critical", 60).containsEntry("high", 1);
  }

  @Test
  void watermarksAreCheckedAgainstEachOtherWhicheverIsChanged() {
    Millpond node = fleet.producer(fleet.config().withWatermarks(Watermarks.DEFAULT));
    assertThat(node.flow().settings().watermarks("mail")).isEqualTo(Watermarks.DEFAULT);

    node.flow().changeQueue("mail", high(500L));
    assertThat(node.flow().settings().watermarks("mail").jobs()).isEqualTo(new Mark(500, 100));
    node.flow().changeQueue("mail", low(400L));
    assertThat(node.flow().settings().watermarks("mail").jobs()).isEqualTo(new Mark(500, 400));
    refused(node, low(500L), "/lowWatermark must be below the high watermark, which is 500");
    refused(node, high(400L), "/highWatermark must be above the low watermark, which is 400");
    refused(node, high(1L), "/highWatermark must be none, or 2 to 1000000000, is 1");
    refused(node, low(0L), "/lowWatermark must be 1 to 1000000000, is 0");
    assertThat(node.flow().settings().watermarks("mail").jobs()).isEqualTo(new Mark(500, 400));

    node.flow().changeQueue("mail", high(Watermarks.NO_MARK));
    assertThat(node.flow().settings().watermarks("mail").jobs().marked()).isFalse();
    node.flow().changeQueue("mail", high(null).withLowWatermark(Setting.to(null)));
    assertThat(node.flow().settings().watermarks("mail")).isEqualTo(Watermarks.DEFAULT);
  }

  @Test
  void watermarksInBytesAreSetInMiB() {
    Millpond node = fleet.producer(fleet.config().withWatermarks(Watermarks.DEFAULT));
    node.flow().changeQueue("mail", highMib(100L));
    Mark set = node.flow().settings().watermarks("mail").bytes();
    assertThat(set).isEqualTo(new Mark(100 << 20, 20 << 20));
    assertThat(node.flow().settings().watermarks("mail").jobs())
        .isEqualTo(Watermarks.DEFAULT.jobs());
    refused(node, highMib(1L), "/highWatermarkMib must be none, or 2 to 1048576, is 1");
    refused(
        node,
        QueueChange.NONE.withLowMib(Setting.to(100L)),
        "/lowWatermarkMib must be below the high watermark, which is 100");

    node.flow().changeQueue("mail", highMib(Watermarks.NO_MARK));
    assertThat(node.flow().settings().watermarks("mail").bytes().marked()).isFalse();
    node.flow().changeQueue("mail", highMib(null));
    assertThat(node.flow().settings().watermarks("mail")).isEqualTo(Watermarks.DEFAULT);
  }

  private static QueueChange highMib(@Nullable Long mark) {
    return QueueChange.NONE.withHighMib(Setting.to(mark));
  }

  private static QueueChange high(@Nullable Long mark) {
    return QueueChange.NONE.withHighWatermark(Setting.to(mark));
  }

  private static QueueChange low(@Nullable Long mark) {
    return QueueChange.NONE.withLowWatermark(Setting.to(mark));
  }

  private static void refused(Millpond node, QueueChange change, String why) {
    assertThatExceptionOfType(InvalidSettingException.class)
        .isThrownBy(() -> node.flow().changeQueue("mail", change))
        .withMessageStartingWith(why);
  }

  @Test
  void changesOfTwoProcessesAreBothKept() throws Exception {
    List<Millpond> nodes = List.of(fleet.producer(), fleet.producer());
    try (ExecutorService two = Executors.newFixedThreadPool(2)) {
      List<Future<FlowSettings>> last =
          nodes.stream().map(node -> two.submit(() -> changes(node, nodes.indexOf(node)))).toList();
      for (Future<FlowSettings> each : last) {
        each.get();
      }
    }
    FlowSettings kept = fleet.producer().flow().settings();
    assertThat(kept.queue("of-0").weights()).containsEntry("high", 20);
    assertThat(kept.queue("of-1").weights()).containsEntry("high", 20);
    assertThat(kept.queue("both")).isEqualTo(new QueueFlow(20, Duration.ofSeconds(20), Map.of()));
    for (Millpond node : nodes) {
      await().atMost(FOLLOWED).until(() -> node.flow().settings().equals(kept));
    }
  }

  private static FlowSettings changes(Millpond node, int number) {
    for (int i = 1; i <= 20; i++) {
      node.flow().setWeights("of-" + number, Map.of("high", i));
      QueueChange change =
          number == 0
              ? QueueChange.NONE.withWeight(Setting.to(i))
              : QueueChange.NONE.withAging(Setting.to(Duration.ofSeconds(i)));
      node.flow().changeQueue("both", change);
    }
    return node.flow().settings();
  }

  @Test
  void impossibleValuesAreRefusedWithTheReasonAndChangeNothing() {
    Millpond node = fleet.producer();
    FlowSettings before = node.flow().settings();

    refused(node, "mail", Map.of("boss", 5), "/weights/boss is no priority class; there are [crit");
    refused(node, "mail", Map.of("high", 0), "/weights/high must be 1 to 10000, is 0");
    refused(node, "mail", Map.of("high", 10_001), "/weights/high must be 1 to 10000, is 10001");
    refused(node, "mail", Map.of(), "/weights must name one class at least");
    refused(node, "Mail", Map.of("high", 5), "/queue must match ");
    refused(node, "millpond.x", Map.of("high", 5), "/queue is a reserved name");
    assertThatExceptionOfType(InvalidSettingException.class)
        .isThrownBy(() -> change(node, QueueChange.NONE.withWeight(Setting.to(-1))))
        .withMessage("/weight must be 1 to 10000, is -1");
    assertThatExceptionOfType(InvalidSettingException.class)
        .isThrownBy(() -> change(node, QueueChange.NONE.withAging(Setting.to(Duration.ofDays(2)))))
        .withMessage("/aging must be PT1S to PT24H, is PT48H");

    assertThat(fleet.producer().flow().settings()).isEqualTo(before);
    assertThat(node.flow().knows("mail")).isFalse();
  }

  private static void refused(
      Millpond node, String queue, Map<String, Integer> weights, String why) {
    assertThatExceptionOfType(InvalidSettingException.class)
        .isThrownBy(() -> node.flow().setWeights(queue, weights))
        .withMessageStartingWith(why);
  }

  private static void change(Millpond node, QueueChange change) {
    node.flow().changeQueue("mail", change);
  }

  /** Jobs that do nothing, and a count of those that have run, by class. */
  private static final class Load {
    private final Map<String, AtomicInteger> ran = new ConcurrentHashMap<>();

    void submit(Millpond to, String priorityClass, int jobs) {
      ran.put(priorityClass, new AtomicInteger());
      JobRequest request = JobRequest.of("counted", priorityClass).withPriorityClass(priorityClass);
      for (int i = 0; i < jobs; i += 1_000) {
        Fleet.submit(to, request, 1_000);
      }
    }

    void register(Millpond with) {
      with.registerHandler(
          "counted",
          String.class,
          (context, payload) -> {
            requireNonNull(ran.get(payload)).incrementAndGet();
            return null;
          });
    }

    private Map<String, Integer> now() {
      Map<String, Integer> now = new LinkedHashMap<>();
      ran.forEach((priorityClass, jobs) -> now.put(priorityClass, jobs.get()));
      return now;
    }
  }

  @ParameterizedTest
  @EnumSource(Mode.class)
  void aConfiguredClassHasItsOwnLaneAndNoJobOfItIsLostToThoseWhoDoNotKnowIt(Mode mode) {
    start(mode);
    Map<String, Integer> more = new LinkedHashMap<>(PriorityClasses.DEFAULT.weights());
    more.put("bulk", 1);
    MillpondConfig knows = fleet.config().withClasses(new PriorityClasses(more));
    Millpond producer = fleet.producer(knows);
    Load ignorant = new Load();
    fleet.maintainer();
    fleet.worker(ignorant::register);
    Load load = new Load();
    load.submit(producer, "bulk", 1_000);
    UUID one =
        Fleet.submit(producer, JobRequest.of("counted", "bulk").withPriorityClass("bulk"), 1)
            .getFirst();
    assertThat(producer.flow().settings().classWeights("default")).isEqualTo(more);

    fleet.worker(knows, load::register);

    fleet.untilEnded(1_001);
    assertThat(load.now()).containsEntry("bulk", 1_001);
    assertThat(fleet.untilState(one, JobState.SUCCEEDED).attempt()).isEqualTo(1);
  }

  private static Map<String, Integer> weights(Millpond node) {
    return node.flow().settings().classWeights("mail");
  }

  private static Map<String, Integer> turned() {
    return Map.of("critical", 10, "high", 30, "normal", 60);
  }
}
