package dev.millpond.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.api.JobRequest;
import dev.millpond.api.JobState;
import dev.millpond.api.JobView;
import dev.millpond.api.SubmitResult;
import dev.millpond.embedded.TestRedis;
import dev.millpond.embedded.TestServers;
import dev.millpond.engine.admission.Watermarks;
import dev.millpond.engine.books.Books;
import dev.millpond.engine.books.BooksReport;
import dev.millpond.engine.dispatch.Lanes;
import dev.millpond.engine.dispatch.PriorityClasses;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.trace.Tracing;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Measurement;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * The Millponds of one test, on an emptied database and a Redis of their own, with fast timing and
 * queues that are never full.
 */
public final class Fleet implements AutoCloseable {
  /** How long a test waits for what must come. */
  public static final Duration PATIENCE = Duration.ofSeconds(30);

  /** As fast as {@link Timing#FAST}, but for a lease that a busy build machine does not miss. */
  public static final Timing TIMING =
      new Timing(
          Duration.ofSeconds(4),
          Duration.ofMillis(500),
          Duration.ofMillis(500),
          Duration.ofMillis(250));

  /** The way of the batches. */
  public enum Mode {
    POSTGRES,
    STREAMS
  }

  private final Database database;
  private final @Nullable TestRedis redis;
  private final MillpondConfig config;
  private final List<Millpond> members = new ArrayList<>();
  private final List<MeterRegistry> registries = new ArrayList<>();
  private Tracing tracing = Tracing.NONE;
  private boolean closed;

  private Fleet(Database database, @Nullable TestRedis redis) {
    this.database = database;
    this.redis = redis;
    MillpondConfig alone =
        MillpondConfig.of(database.url())
            .withTiming(TIMING)
            .withSlots(16)
            .withWatermarks(Watermarks.NONE);
    this.config = redis == null ? alone : alone.withRedis(List.of(redis.url()));
  }

  public static Fleet on(Database database, Mode mode) {
    database.empty();
    return joining(database, mode);
  }

  /** On a database with what is in it. */
  public static Fleet joining(Database database, Mode mode) {
    return new Fleet(
        database,
        switch (mode) {
          case POSTGRES -> null;
          case STREAMS -> TestServers.get().redis();
        });
  }

  /** Has the members that come trace. */
  public Fleet traced(Tracing by) {
    tracing = by;
    return this;
  }

  public MillpondConfig config() {
    return config;
  }

  /** The Redis of the streams mode, the test's own. */
  public TestRedis redis() {
    return requireNonNull(redis, "this fleet has no Redis");
  }

  /** A member that submits and reads. */
  public Millpond producer() {
    return member(config);
  }

  public Millpond producer(MillpondConfig with) {
    return member(with);
  }

  /** A producer that puts its batches on their streams however slow the machine is. */
  public Millpond patientProducer() {
    return member(
        config.withTiming(
            new Timing(
                Duration.ofMinutes(1),
                Duration.ofSeconds(5),
                Duration.ofSeconds(30),
                Duration.ofSeconds(1))));
  }

  /** A member that does the maintenance. */
  public Millpond maintainer() {
    Millpond member = member(config);
    member.startMaintenance();
    return member;
  }

  public Millpond maintainer(MillpondConfig with) {
    Millpond member = member(with);
    member.startMaintenance();
    return member;
  }

  /** A member that runs jobs. */
  public Millpond worker(Consumer<Millpond> handlers) {
    return worker(config, handlers);
  }

  public Millpond worker(MillpondConfig with, Consumer<Millpond> handlers) {
    Millpond member = member(with);
    handlers.accept(member);
    member.startWorker();
    return member;
  }

  private Millpond member(MillpondConfig with) {
    MeterRegistry registry = new SimpleMeterRegistry();
    Millpond member = Millpond.connect(with, registry, tracing);
    registries.add(registry);
    members.add(member);
    return member;
  }

  /** Submits copies of a request. */
  public static List<UUID> submit(Millpond to, JobRequest request, int count) {
    List<JobRequest> requests = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      requests.add(request);
    }
    return submit(to, requests);
  }

  public static List<UUID> submit(Millpond to, List<JobRequest> requests) {
    return ids(to.submit(requests));
  }

  /** The ids of new and of earlier jobs. */
  public static List<UUID> ids(List<SubmitResult> results) {
    List<UUID> ids = new ArrayList<>();
    for (SubmitResult result : results) {
      ids.add(
          switch (result) {
            case SubmitResult.Accepted accepted -> accepted.id();
            case SubmitResult.Existing existing -> existing.id();
            case SubmitResult.Refused refused -> throw new AssertionError(refused.toString());
          });
    }
    return ids;
  }

  public static void until(String what, Callable<Boolean> condition) {
    await(what).atMost(PATIENCE).pollInterval(Duration.ofMillis(5)).until(condition);
  }

  /** A number once it has not changed for a second. */
  public static long whenItRests(String what, LongSupplier number) {
    AtomicLong last = new AtomicLong(-1);
    AtomicInteger same = new AtomicInteger();
    await(what)
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(100))
        .until(() -> {
          long now = number.getAsLong();
          same.set(last.getAndSet(now) == now ? same.get() + 1 : 0);
          return same.get() == 10;
        });
    return last.get();
  }

  /** Waits until so many jobs have ended. */
  public void untilEnded(long jobs) {
    until(jobs + " outcomes", () -> database.outcomes() >= jobs);
  }

  /** Waits until a job is in a state, and gives it. */
  public JobView untilState(UUID id, JobState state) {
    Millpond reader = members.getFirst();
    until(id + " " + state, () -> reader.find(id).map(job -> job.state() == state).orElse(false));
    return reader.find(id).orElseThrow();
  }

  /** A counter of jobs, over all members, left ones included. */
  public double counted(String meter) {
    return registries.stream()
        .flatMap(r -> r.find("millpond.jobs." + meter).counters().stream())
        .mapToDouble(Counter::count)
        .sum();
  }

  /** Asserts a counter's value; it is raised a moment after the commit. */
  public void assertCounted(String meter, long expected) {
    until(expected + " " + meter, () -> counted(meter) >= expected);
    assertThat(counted(meter)).as(meter).isEqualTo((double) expected);
  }

  /** A gauge with one tag, over all members. */
  public double gauged(String meter, String tag, String value) {
    return registries.stream()
        .flatMap(r -> r.find(meter).tag(tag, value).gauges().stream())
        .mapToDouble(Gauge::value)
        .sum();
  }

  /** A gauge without tags, over all members. */
  public double gauged(String meter) {
    return registries.stream()
        .flatMap(r -> r.find(meter).gauges().stream())
        .mapToDouble(Gauge::value)
        .sum();
  }

  /** Reads every metric of every member, as a scrape does; the sum of all values. */
  public double readMetrics() {
    return registries.stream()
        .flatMap(registry -> registry.getMeters().stream())
        .flatMap(meter -> StreamSupport.stream(meter.measure().spliterator(), false))
        .mapToDouble(Measurement::getValue)
        .sum();
  }

  /** How often a timer has measured, over all members. */
  public long timed(String meter) {
    return registries.stream()
        .flatMap(r -> r.find("millpond." + meter).timers().stream())
        .mapToLong(Timer::count)
        .sum();
  }

  /** Checks the books of a database that nobody takes part in. */
  public static void assertBooksClean(Database database) {
    try (Transactions transactions = new Transactions(Pg.pool(database.url(), "books", 1))) {
      Books books =
          new Books(
              transactions, List.of(), new Lanes(PriorityClasses.DEFAULT), Duration.ofMillis(200));
      assertThat(books.check().findings()).isEmpty();
    }
  }

  public void assertBooksClean() {
    assertBooksClean(Set.of());
  }

  public void assertBooksClean(Set<UUID> acknowledged) {
    Millpond reader = members.isEmpty() ? producer() : members.getFirst();
    BooksReport report = reader.checkBooks(acknowledged);
    assertThat(report.findings()).isEmpty();
  }

  /** The end of every test: the books are clean, then everybody leaves. */
  public void end() {
    try {
      assertBooksClean();
    } finally {
      close();
    }
  }

  /** Closes a member before the end of the test. */
  public void leave(Millpond member) {
    members.remove(member);
    member.close();
  }

  @Override
  public void close() {
    members.forEach(Millpond::close);
    members.clear();
    if (redis != null && !closed) {
      redis.close();
    }
    closed = true;
  }
}
