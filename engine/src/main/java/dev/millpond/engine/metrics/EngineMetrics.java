package dev.millpond.engine.metrics;

import dev.millpond.engine.dispatch.Lane;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.MultiGauge.Row;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes the numbers of {@link EngineMetric} to a registry. Labels are bounded: kinds beyond {@link
 * #KINDS_MAX} and queues beyond {@link #QUEUES_MAX} are called {@code _other}, and combinations
 * beyond {@link #SORTS_MAX} are counted in one series whose labels are all that. A scrape reads
 * fields only and never asks PostgreSQL or Redis. Thread-safe.
 */
public final class EngineMetrics {
  private static final Logger log = LoggerFactory.getLogger(EngineMetrics.class);

  /** Kinds with series of their own. */
  public static final int KINDS_MAX = 200;

  /** Queues with series of their own. */
  public static final int QUEUES_MAX = 200;

  /** Combinations of queue, class and kind with series of their own. */
  public static final int SORTS_MAX = 1_000;

  /** Priority classes with series of their own. */
  private static final int CLASSES_MAX = 20;

  /** Bounds of the buckets of waits and runs. */
  static final Duration[] JOB_TIMES =
      millis(
          0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000,
          300_000, 900_000, 3_600_000);

  private static final Duration[] FLUSH_TIMES =
      millis(0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000, 30_000);

  private static final Duration[] ESTIMATE_TIMES =
      millis(10, 100, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000, 900_000);

  private static final double[] FLUSH_SIZES = {1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500};

  private final MeterRegistry registry;
  private final Bounded queues = new Bounded(QUEUES_MAX);
  private final Bounded classes = new Bounded(CLASSES_MAX);
  private final Bounded kinds = new Bounded(KINDS_MAX);

  /** By what they are labelled with, and so bounded. */
  private final Map<Sort, JobMeters> sorts = new ConcurrentHashMap<>();

  private final Map<Lane, Timer> waits = new ConcurrentHashMap<>();
  private final Map<String, Timer> flushTimes = new ConcurrentHashMap<>();
  private final Map<String, DistributionSummary> flushSizes = new ConcurrentHashMap<>();
  private final Map<String, Timer> estimates = new ConcurrentHashMap<>();
  private final AtomicBoolean said = new AtomicBoolean();

  /** Micrometer itself holds what it asks for a count weakly. */
  private final List<Supplier<Number>> held = new CopyOnWriteArrayList<>();

  /** A step in the life of a job. */
  public enum Step {
    SUBMITTED(EngineMetric.SUBMITTED),
    STARTED(EngineMetric.STARTED),
    COMPLETED(EngineMetric.COMPLETED),
    FAILED(EngineMetric.FAILED),
    RETRIED(EngineMetric.RETRIED),
    DEAD(EngineMetric.DEAD),
    RESCUED(EngineMetric.RESCUED),
    RECONCILED(EngineMetric.RECONCILED),
    REFUSED(EngineMetric.REFUSED),
    STALE(EngineMetric.STALE),
    CANCELLED(EngineMetric.CANCELLED);

    private final EngineMetric metric;

    Step(EngineMetric metric) {
      this.metric = metric;
    }

    EngineMetric metric() {
      return metric;
    }
  }

  private record Sort(Lane lane, String kind) {}

  private static final Lane OTHER_LANE = new Lane(Bounded.OTHER, Bounded.OTHER);
  private static final Sort OTHER_SORT = new Sort(OTHER_LANE, Bounded.OTHER);

  /** Counters without labels are there at once, at zero. */
  public EngineMetrics(MeterRegistry registry) {
    this.registry = registry;
    for (EngineMetric each : EngineMetric.values()) {
      Metric metric = each.metric();
      if (metric.type() == Metric.Type.COUNTER
          && metric.labels().isEmpty()
          && each != EngineMetric.FORKED_STARTED) { // the executor's own
        counter(each);
      }
    }
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
      meters(lane, kind).count(step, jobs);
    } catch (RuntimeException e) {
      failed(e);
    }
  }

  private JobMeters meters(Lane lane, String kind) {
    Sort sort = new Sort(lane, kind);
    JobMeters known = sorts.get(sort);
    return known == null ? meters(bounded(sort)) : known;
  }

  private JobMeters meters(Sort sort) {
    return sorts.computeIfAbsent(
        sort, s -> new JobMeters(this, s.lane().queue(), s.lane().priorityClass(), s.kind()));
  }

  private Sort bounded(Sort sort) {
    Sort bounded = new Sort(bounded(sort.lane()), kinds.of(sort.kind()));
    return sorts.containsKey(bounded) || sorts.size() < SORTS_MAX ? bounded : OTHER_SORT;
  }

  private Lane bounded(Lane lane) {
    return new Lane(queues.of(lane.queue()), classes.of(lane.priorityClass()));
  }

  /** The label of a queue. */
  public String queue(String name) {
    return queues.of(name);
  }

  /** The label of a priority class. */
  public String priorityClass(String name) {
    return classes.of(name);
  }

  /** The label of a kind. */
  public String kind(String name) {
    return kinds.of(name);
  }

  /** A registry is somebody else's code: what it throws must not keep a job from going on. */
  private void failed(RuntimeException thrown) {
    if (said.compareAndSet(false, true)) {
      log.error("the registry of metrics fails, what it does not take is not counted", thrown);
    }
  }

  /** Time from a job's submit to its start. */
  public void waited(Lane lane, Duration wait) {
    try {
      Timer timer = waits.get(lane);
      if (timer == null) {
        Lane bounded = bounded(lane);
        boolean own = waits.containsKey(bounded) || waits.size() < SORTS_MAX;
        timer = waits.computeIfAbsent(own ? bounded : OTHER_LANE, this::waitTimer);
      }
      timer.record(wait.isNegative() ? Duration.ZERO : wait);
    } catch (RuntimeException e) {
      failed(e);
    }
  }

  private Timer waitTimer(Lane lane) {
    return timer(EngineMetric.JOB_WAIT, JOB_TIMES, lane.queue(), lane.priorityClass());
  }

  /** Time a handler took. */
  public void ran(Lane lane, String kind, long nanos) {
    try {
      meters(lane, kind).run().record(nanos, TimeUnit.NANOSECONDS);
    } catch (RuntimeException e) {
      failed(e);
    }
  }

  /** Time and size of one flush. */
  public void flushed(String lane, long nanos, int rows) {
    try {
      flushTimes
          .computeIfAbsent(lane, name -> timer(EngineMetric.FLUSH, FLUSH_TIMES, name))
          .record(nanos, TimeUnit.NANOSECONDS);
      flushSizes.computeIfAbsent(lane, this::flushSizes).record(rows);
    } catch (RuntimeException e) {
      failed(e);
    }
  }

  private DistributionSummary flushSizes(String lane) {
    Metric metric = EngineMetric.FLUSH_JOBS.metric();
    return DistributionSummary.builder(metric.name())
        .description(metric.meaning())
        .tags(metric.tags(lane))
        .serviceLevelObjectives(FLUSH_SIZES)
        .register(registry);
  }

  /** How far the predicted start of a job was from its start. */
  public void predicted(String queue, Duration error) {
    try {
      estimates
          .computeIfAbsent(
              queue(queue), name -> timer(EngineMetric.ESTIMATE_ERROR, ESTIMATE_TIMES, name))
          .record(error);
    } catch (RuntimeException e) {
      failed(e);
    }
  }

  /** Adds to a counter. */
  public void add(EngineMetric of, long more, String... labels) {
    try {
      counter(of, labels).increment((double) more);
    } catch (RuntimeException e) {
      failed(e);
    }
  }

  /** A timer with buckets. */
  Timer timer(EngineMetric of, Duration[] buckets, String... labels) {
    Metric metric = of.metric();
    return Timer.builder(metric.name())
        .description(metric.meaning())
        .tags(metric.tags(labels))
        .serviceLevelObjectives(buckets)
        .register(registry);
  }

  /** A timer of a count, a sum and a maximum. */
  public Timer timer(EngineMetric of, String... labels) {
    Metric metric = of.metric();
    return Timer.builder(metric.name())
        .description(metric.meaning())
        .tags(metric.tags(labels))
        .register(registry);
  }

  /** A counter, at zero from now on. */
  public Counter counter(EngineMetric of, String... labels) {
    Metric metric = of.metric();
    return Counter.builder(metric.name())
        .description(metric.meaning())
        .tags(metric.tags(labels))
        .register(registry);
  }

  /** A counter that is kept elsewhere. */
  public void counter(EngineMetric of, Supplier<Number> value, String... labels) {
    Metric metric = of.metric();
    FunctionCounter.builder(metric.name(), value, source -> source.get().doubleValue())
        .description(metric.meaning())
        .tags(metric.tags(labels))
        .register(registry);
    held.add(value);
  }

  /**
   * A gauge with one row for each set of labels; rows come and go with {@link MultiGauge#register}.
   */
  public MultiGauge multiGauge(EngineMetric of) {
    Metric metric = of.metric();
    return MultiGauge.builder(metric.name()).description(metric.meaning()).register(registry);
  }

  /** One row of a {@link #multiGauge}. */
  public static Row<?> row(EngineMetric of, double value, String... labels) {
    return Row.of(Tags.of(of.metric().tags(labels)), value);
  }

  /** A value read at each scrape: of memory alone. */
  public void gauge(EngineMetric of, Supplier<Number> value, String... labels) {
    Metric metric = of.metric();
    Gauge.builder(metric.name(), value)
        .description(metric.meaning())
        .tags(metric.tags(labels))
        .register(registry);
  }

  private static Duration[] millis(double... millis) {
    Duration[] times = new Duration[millis.length];
    for (int i = 0; i < millis.length; i++) {
      times[i] = Duration.ofNanos(Math.round(millis[i] * 1_000_000));
    }
    return times;
  }
}
