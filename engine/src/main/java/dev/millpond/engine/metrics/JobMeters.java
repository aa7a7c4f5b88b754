package dev.millpond.engine.metrics;

import static java.util.Objects.requireNonNull;

import dev.millpond.engine.metrics.EngineMetrics.Step;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Timer;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The meters of one queue, class and kind. All counters are there from the first job on, at zero: a
 * rate does not see the step to the first value of a series. Thread-safe.
 */
final class JobMeters {
  private final EngineMetrics metrics;
  private final String[] labels;
  private final Map<Step, Counter> counters = new EnumMap<>(Step.class);
  private volatile @Nullable Timer run;

  JobMeters(EngineMetrics metrics, String... labels) {
    this.metrics = metrics;
    this.labels = labels;
    for (Step step : Step.values()) {
      counters.put(step, metrics.counter(step.metric(), labels));
    }
  }

  void count(Step step, long jobs) {
    requireNonNull(counters.get(step)).increment((double) jobs);
  }

  /** Only where jobs run: it has many series. */
  Timer run() {
    Timer known = run;
    if (known == null) {
      known = metrics.timer(EngineMetric.JOB_RUN, EngineMetrics.JOB_TIMES, labels);
      run = known;
    }
    return known;
  }
}
