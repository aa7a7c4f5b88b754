package dev.millpond.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

import dev.millpond.api.JobRequest;
import dev.millpond.embedded.TestRedis;
import dev.millpond.embedded.TestServers;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.flow.QueueChange;
import dev.millpond.engine.flow.Setting;
import dev.millpond.faults.Ending;
import dev.millpond.faults.Exchange;
import dev.millpond.faults.Fault;
import dev.millpond.faults.FaultProxy;
import dev.millpond.faults.Moment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Which shares queues and classes get while all of them have more than can be run: as their weights
 * say, over every way.
 */
@Order(1) // takes long: begins first
class SharesIT {
  /** In points of a hundred. */
  private static final double OFF = 2.0;

  /** Of the promise: how soon a changed weight is followed. */
  private static final Duration FOLLOWED = Duration.ofSeconds(2);

  /** As long as a read of a stream waits. */
  private static final Duration WAITS = Duration.ofMillis(500);

  private static final Duration LOADED = Duration.ofMinutes(2);
  private static final Map<String, Double> BY_WEIGHT =
      Map.of("critical", 60.0, "high", 30.0, "normal", 10.0);

  /** What the batches come over. */
  enum Over {
    TABLE(0),
    ONE_SHARD(1),
    TWO_SHARDS(2);

    final int shards;

    Over(int shards) {
      this.shards = shards;
    }
  }

  private static Database database;
  private final List<TestRedis> servers = new ArrayList<>();
  private final List<FaultProxy> proxies = new ArrayList<>();
  private final Load load = new Load();
  private Fleet fleet;
  private MillpondConfig config;

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
    config = fleet.config();
  }

  private void start(Over over) {
    for (int i = 0; i < over.shards; i++) {
      servers.add(TestServers.get().redis());
    }
    config = config.withRedis(servers.stream().map(TestRedis::url).toList());
  }

  /** What is left of the backlog is nothing to wait for: it stays where it is. */
  @AfterEach
  void stop() {
    fleet.end();
    proxies.forEach(FaultProxy::close);
    servers.forEach(TestRedis::close);
  }

  /** Jobs that take so long and do nothing, and what of them has run, by class or by queue. */
  private static final class Load {
    private final Map<String, AtomicLong> jobs = new ConcurrentHashMap<>();
    private final Map<String, AtomicLong> nanos = new ConcurrentHashMap<>();
    private final Map<String, Long> submitted = new ConcurrentHashMap<>();
    private volatile @Nullable Span span;

    /** What is run until it amounts to so much; its end is seen by whoever runs the last of it. */
    private record Span(
        Map<String, AtomicLong> of, long end, CompletableFuture<Map<String, Long>> atEnd) {}

    void submit(Millpond to, JobRequest request, String label, int count) {
      jobs.putIfAbsent(label, new AtomicLong());
      nanos.putIfAbsent(label, new AtomicLong());
      for (int i = 0; i < count; i += 1_000) {
        Fleet.submit(to, request, Math.min(1_000, count - i));
      }
      submitted.merge(label, (long) count, Long::sum);
    }

    void submitClass(Millpond to, String priorityClass, int count) {
      JobRequest request = JobRequest.of("load", priorityClass);
      submit(to, request.withPriorityClass(priorityClass), priorityClass, count);
    }

    void register(Millpond with, String kind, Duration takes) {
      with.registerHandler(
          kind,
          String.class,
          (context, label) -> {
            long began = System.nanoTime();
            for (long left = takes.toNanos(); left > 0; ) {
              LockSupport.parkNanos(left);
              left = takes.toNanos() - (System.nanoTime() - began);
            }
            requireNonNull(nanos.get(label)).addAndGet(System.nanoTime() - began);
            requireNonNull(jobs.get(label)).incrementAndGet();
            look();
            return null;
          });
    }

    private void look() {
      Span now = span;
      if (now != null && !now.atEnd.isDone()) {
        Map<String, Long> numbers = numbers(now.of);
        if (sum(numbers) >= now.end) {
          submitted.forEach((label, all) -> {
            if (requireNonNull(jobs.get(label)).get() >= all) {
              now.atEnd.completeExceptionally(new AssertionError("nothing left of " + label));
            }
          });
          now.atEnd.complete(numbers);
        }
      }
    }

    private static Map<String, Long> numbers(Map<String, AtomicLong> of) {
      Map<String, Long> numbers = new TreeMap<>();
      of.forEach((label, number) -> numbers.put(label, number.get()));
      return numbers;
    }

    private static long sum(Map<String, Long> numbers) {
      return numbers.values().stream().mapToLong(Long::longValue).sum();
    }

    /** Shares of the jobs that are run next, in points, while there is more of all. */
    Map<String, Double> ofNextJobs(int count) throws Exception {
      return ofNext(jobs, count);
    }

    /** Shares of the time in slots that is spent next. */
    Map<String, Double> ofNextTime(Duration inSlots) throws Exception {
      return ofNext(nanos, inSlots.toNanos());
    }

    private Map<String, Double> ofNext(Map<String, AtomicLong> of, long amount) throws Exception {
      Map<String, Long> before = numbers(of);
      Span next = new Span(of, sum(before) + amount, new CompletableFuture<>());
      span = next;
      Map<String, Long> after = next.atEnd.get(LOADED.toSeconds(), TimeUnit.SECONDS);
      double all = sum(after) - sum(before);
      Map<String, Double> shares = new TreeMap<>();
      after.forEach((label, number) -> {
        long ran = number - requireNonNull(before.get(label));
        shares.put(label, Math.round(1_000 * ran / all) / 10.0);
      });
      return shares;
    }
  }

  private static void assertShares(Map<String, Double> shares, Map<String, Double> expected) {
    System.out.printf(Locale.ROOT, "shares: %s%n", shares);
    assertThat(shares.keySet()).isEqualTo(expected.keySet());
    expected.forEach((label, share) ->
        assertThat(shares.get(label)).as("%s of %s", label, shares).isCloseTo(share, within(OFF)));
  }

  private void worker(MillpondConfig with, Duration takes) {
    fleet.worker(with, m -> load.register(m, "load", takes));
  }

  @ParameterizedTest
  @CsvSource({"TABLE, 0, 40000", "TWO_SHARDS, 0, 40000", "ONE_SHARD, 1, 12000"})
  void servedJobsFollowTheWeights(Over over, long millis, int jobs) throws Exception {
    start(over);
    Millpond producer = fleet.producer(config);
    fleet.maintainer(config);
    load.submitClass(producer, "critical", jobs);
    load.submitClass(producer, "high", jobs / 2);
    load.submitClass(producer, "normal", jobs / 4);

    worker(config, Duration.ofMillis(millis));

    load.ofNextJobs(jobs / 4); // it gets to know the lanes
    assertShares(load.ofNextJobs(jobs / 2), BY_WEIGHT);
  }

  @ParameterizedTest
  @EnumSource(names = {"TABLE", "TWO_SHARDS"})
  void twoWorkersFollowThemTogether(Over over) throws Exception {
    start(over);
    Millpond producer = fleet.producer(config);
    fleet.maintainer(config);
    load.submitClass(producer, "critical", 12_000);
    load.submitClass(producer, "high", 6_000);
    load.submitClass(producer, "normal", 3_000);

    worker(config, Duration.ofMillis(2));
    worker(config, Duration.ofMillis(2));

    load.ofNextJobs(4_000);
    assertShares(load.ofNextJobs(6_000), BY_WEIGHT);
  }

  @ParameterizedTest
  @EnumSource
  void weightsThatAreChangedInMidRunAreFollowedWithinTwoSeconds(Over over) throws Exception {
    start(over);
    Millpond producer = fleet.producer(config);
    fleet.maintainer(config);
    load.submitClass(producer, "critical", 5_000);
    load.submitClass(producer, "high", 7_000);
    load.submitClass(producer, "normal", 12_000);
    worker(config, Duration.ofMillis(4));
    load.ofNextJobs(1_000);
    assertShares(load.ofNextJobs(2_000), BY_WEIGHT);

    long changed = System.nanoTime();
    producer.flow().setWeights("default", Map.of("critical", 10, "normal", 60));

    await()
        .atMost(LOADED)
        .pollInterval(Duration.ofMillis(5))
        .until(() -> System.nanoTime() - changed >= FOLLOWED.toNanos());
    assertShares(load.ofNextJobs(4_000), Map.of("critical", 10.0, "high", 30.0, "normal", 60.0));
  }

  @ParameterizedTest
  @EnumSource(names = {"TABLE", "TWO_SHARDS"})
  void aClassWithoutWorkGivesItsShareToTheOthers(Over over) throws Exception {
    start(over);
    Millpond producer = fleet.producer(config);
    fleet.maintainer(config);
    load.submitClass(producer, "high", 10_000);
    load.submitClass(producer, "normal", 4_000);

    worker(config, Duration.ofMillis(1));

    load.ofNextJobs(2_000);
    assertShares(load.ofNextJobs(6_000), Map.of("high", 75.0, "normal", 25.0));
  }

  /** One has short jobs of one class, the other one longer ones of two. */
  @ParameterizedTest
  @EnumSource(names = {"TABLE", "TWO_SHARDS"})
  void queuesShareTheTimeByTheirWeights(Over over) throws Exception {
    start(over);
    Millpond producer = fleet.producer(config);
    fleet.maintainer(config);
    JobRequest quick = JobRequest.of("quick", "quick").withQueue("quick");
    JobRequest slow = JobRequest.of("slow", "slow").withQueue("slow");
    producer.flow().changeQueue("slow", QueueChange.NONE.withWeight(Setting.to(300)));
    load.submit(producer, quick.withPriorityClass("critical"), "quick", 8_000);
    load.submit(producer, slow, "slow", 3_000);
    load.submit(producer, slow.withPriorityClass("high"), "slow", 3_000);

    fleet.worker(
        config,
        m -> {
          load.register(m, "quick", Duration.ofMillis(4));
          load.register(m, "slow", Duration.ofMillis(16));
        });

    load.ofNextTime(Duration.ofSeconds(20));
    assertShares(load.ofNextTime(Duration.ofSeconds(30)), Map.of("quick", 25.0, "slow", 75.0));
  }

  /** No bell is ever heard, and a read that waits for a stream ends when its time is up. */
  @ParameterizedTest
  @EnumSource
  void sharesHoldThoughNothingWakesAnybody(Over over) throws Exception {
    start(over);
    FaultProxy postgres = through(FaultProxy.postgres(config.pgUrl()));
    again(
        postgres,
        e -> e.asks("LISTEN millpond"),
        Moment.UNSENT,
        link -> {
          link.end(Ending.CLOSED);
          return false;
        });
    List<String> redis = new ArrayList<>();
    for (TestRedis server : servers) {
      FaultProxy proxy = through(FaultProxy.redis(server.url()));
      again(
          proxy,
          e -> e.isCommand("XREADGROUP", "BLOCK"),
          Moment.UNANSWERED,
          link -> {
            LockSupport.parkNanos(WAITS.toNanos());
            return true;
          });
      redis.add(proxy.url());
    }
    MillpondConfig deaf =
        MillpondConfig.of(postgres.url()).withTiming(Fleet.TIMING).withSlots(config.slots());
    Millpond producer = fleet.producer(config);
    fleet.maintainer(config);
    load.submitClass(producer, "critical", 8_000);
    load.submitClass(producer, "high", 4_000);
    load.submitClass(producer, "normal", 2_000);
    // Not before: it would be through with the first class before the others are there.
    worker(redis.isEmpty() ? deaf : deaf.withRedis(redis), Duration.ofMillis(1));

    load.ofNextJobs(3_000);
    assertShares(load.ofNextJobs(4_000), BY_WEIGHT);
    assertThat(fleet.gauged("millpond.bell.heard")).as("members that hear the bell").isEqualTo(1);
  }

  private FaultProxy through(FaultProxy proxy) {
    proxies.add(proxy);
    return proxy;
  }

  /** Strikes each time. */
  private static void again(
      FaultProxy proxy, Predicate<Exchange> where, Moment moment, Fault.Action action) {
    Fault fault =
        Fault.next(
            where,
            moment,
            link -> {
              again(proxy, where, moment, action);
              return action.passes(link);
            });
    proxy.add(fault);
  }
}
