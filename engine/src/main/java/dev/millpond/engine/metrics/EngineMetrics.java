package dev.millpond.engine.metrics;

import dev.millpond.engine.dispatch.Lane;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The life cycle of jobs in numbers. Names in the docs; labels are bounded: beyond {@link
 * #KINDS_MAX} kinds, the rest is counted as {@code _other}. Thread-safe.
 */
public final class EngineMetrics {
  private static final Logger log = LoggerFactory.getLogger(EngineMetrics.class);
  private static final int KINDS_MAX = 200;
  private static final String OTHER = "_other";

  private final MeterRegistry registry;
  private final Map<Key, Counter> counters = new ConcurrentHashMap<>();
  private final Map<LaneKey, Timer> timers = new ConcurrentHashMap<>();
  private final Map<String, Timer> flushTimes = new ConcurrentHashMap<>();
  private final Map<String, DistributionSummary> flushSizes = new ConcurrentHashMap<>();
  private final AtomicBoolean said = new AtomicBoolean();
  private final Set<String> kinds = ConcurrentHashMap.newKeySet();

  /** A step in the life of a job. */
  public enum Step {
    SUBMITTED("Jobs committed by a submit"),
    STARTED("Attempts started"),
    COMPLETED("Jobs that succeeded"),
    FAILED("Attempts that failed"),
    RETRIED("Failed attempts that are tried again"),
    DEAD("Jobs that became dead letters"),
    RESCUED("Jobs taken back from a lost worker"),
    RECONCILED("Jobs whose stream entry had vanished"),
    REFUSED("Jobs refused at submit"),
    STALE("Writes of attempts that had lost their job"),
    CANCELLED("Jobs that ended as cancelled");

    private final String description;

    Step(String description) {
      this.description = description;
    }

    String meter() {
      return "millpond.jobs." + name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  /** What retention does. */
  public enum Retained {
    DAYS_DROPPED("days.dropped", "Days whose partitions were dropped"),
    JOBS_DROPPED("jobs.dropped", "Ended jobs that went with their day"),
    JOBS_TRIMMED("jobs.trimmed", "Ended jobs removed one by one"),
    SURVIVORS_MOVED("survivors.moved", "Jobs kept when their day was dropped"),
    DEAD_LETTERS_REMOVED("dead.letters.removed", "Dead letters older than millpond.retention.dead"),
    LOCK_FAILURES("lock.failures", "Drops put off because a transaction held the tables");

    private final String meter;
    private final String description;

    Retained(String meter, String description) {
      this.meter = "millpond.retention." + meter;
      this.description = description;
    }

    String meter() {
      return meter;
    }
  }

  private record Key(Step step, Lane lane, String kind) {}

  private record LaneKey(String meter, Lane lane) {}

  public EngineMetrics(MeterRegistry registry) {
    this.registry = registry;
  }

  public MeterRegistry registry() {
    return registry;
  }

  /** Counts jobs at a step of their life. */
  public void count(Step step, Lane lane, String kind, long jobs) {
    if (jobs <= 0) {
      return;
    }
    try {
      counters
          .computeIfAbsent(new Key(step, lane, bounded(kind)), this::counter)
          .increment((double) jobs);
    } catch (RuntimeException e) {
      failed(e);
    }
  }

  /** A registry is somebody else's code: what it throws must not keep a job from going on. */
  private void failed(RuntimeException thrown) {
    if (said.compareAndSet(false, true)) {
      log.error("the registry of metrics fails, what it does not take is not counted", thrown);
    }
  }

  private String bounded(String kind) {
    if (kinds.contains(kind)) {
      return kind;
    }
    if (kinds.size() >= KINDS_MAX) {
      return OTHER;
    }
    kinds.add(kind);
    return kind;
  }

  private Counter counter(Key key) {
    return Counter.builder(key.step().meter())
        .description(key.step().description)
        .tag("queue", key.lane().queue())
        .tag("class", key.lane().priorityClass())
        .tag("kind", key.kind())
        .register(registry);
  }

  /** Time from a job's submit to its start. */
  public void waited(Lane lane, Duration wait) {
    try {
      timer("millpond.job.wait", "From submit to the start of the first attempt", lane)
          .record(wait.isNegative() ? Duration.ZERO : wait);
    } catch (RuntimeException e) {
      failed(e);
    }
  }

  /** Time a handler took. */
  public void ran(Lane lane, long nanos) {
    try {
      timer("millpond.job.run", "Run time of attempts", lane).record(nanos, TimeUnit.NANOSECONDS);
    } catch (RuntimeException e) {
      failed(e);
    }
  }

  private Timer timer(String meter, String description, Lane lane) {
    return timers.computeIfAbsent(
        new LaneKey(meter, lane),
        key ->
            Timer.builder(meter)
                .description(description)
                .tag("queue", lane.queue())
                .tag("class", lane.priorityClass())
                .publishPercentileHistogram()
                .minimumExpectedValue(Duration.ofNanos(100_000))
                .maximumExpectedValue(Duration.ofMinutes(30))
                .register(registry));
  }

  /** Time and size of one flush. */
  public void flushed(String lane, long nanos, int rows) {
    try {
      flushTimes
          .computeIfAbsent(
              lane,
              name ->
                  Timer.builder("millpond.flush")
                      .description("Time of a flush, from its first sending to its commit")
                      .tag("lane", name)
                      .publishPercentileHistogram()
                      .minimumExpectedValue(Duration.ofNanos(100_000))
                      .maximumExpectedValue(Duration.ofSeconds(30))
                      .register(registry))
          .record(nanos, TimeUnit.NANOSECONDS);
      flushSizes
          .computeIfAbsent(
              lane,
              name ->
                  DistributionSummary.builder("millpond.flush.jobs")
                      .description("Rows of jobs and outcomes in a flush")
                      .tag("lane", name)
                      .register(registry))
          .record(rows);
    } catch (RuntimeException e) {
      failed(e);
    }
  }

  /** How far the predicted start of a job was from its start. */
  public void predicted(String queue, Duration error) {
    try {
      Timer.builder("millpond.start.estimate.error")
          .description("How far predicted starts of jobs were off; one job a second is followed")
          .tag("queue", queue)
          .register(registry)
          .record(error);
    } catch (RuntimeException e) {
      failed(e);
    }
  }

  /** By how much counted depths were off, and are corrected. */
  public void depthDrifted(long jobs, long bytes) {
    try {
      Counter.builder("millpond.depth.drift.bytes")
          .description("Bytes by which counted depths were off when they were counted anew")
          .register(registry)
          .increment((double) bytes);
      Counter.builder("millpond.depth.drift.jobs")
          .description("Jobs by which counted depths were off when they were counted anew")
          .register(registry)
          .increment((double) jobs);
    } catch (RuntimeException e) {
      failed(e);
    }
  }

  /** Counts what retention did. */
  public void retained(Retained what, long count) {
    if (count > 0) {
      Counter.builder(what.meter())
          .description(what.description)
          .register(registry)
          .increment((double) count);
    }
  }

  /** Outcomes that PostgreSQL would not take. Their jobs run again. */
  public void refusedOutcomes(int jobs) {
    try {
      Counter.builder("millpond.outcomes.refused")
          .description("Outcomes that PostgreSQL would not take")
          .register(registry)
          .increment(jobs);
    } catch (RuntimeException e) {
      failed(e);
    }
  }

  /**
   * A gauge with one row for each set of tags; rows come and go with {@link MultiGauge#register}.
   */
  public MultiGauge multiGauge(String meter, String description) {
    return MultiGauge.builder(meter).description(description).register(registry);
  }

  /** A value read at each scrape. */
  public void gauge(String meter, String description, Supplier<Number> value, String... tags) {
    Gauge.builder(meter, value).description(description).tags(tags).register(registry);
  }
}
