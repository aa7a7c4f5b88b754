package dev.millpond.engine.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.metrics.EngineMetrics.Step;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.Collection;
import org.junit.jupiter.api.Test;

class EngineMetricsTest {
  private static final int QUEUES = EngineMetrics.QUEUES_MAX + 50;
  private static final int CLASSES = 25;

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final EngineMetrics metrics = new EngineMetrics(registry);

  private void countEverywhere() {
    for (int queue = 0; queue < QUEUES; queue++) {
      for (int each = 0; each < CLASSES; each++) {
        Lane lane = new Lane("q-" + queue, "c-" + each);
        metrics.count(Step.SUBMITTED, lane, "mail", 1);
        metrics.waited(lane, Duration.ofMillis(1));
      }
    }
  }

  private Collection<Counter> submitted() {
    return registry.get(EngineMetric.SUBMITTED.metric().name()).counters();
  }

  private Collection<Timer> waits() {
    return registry.get(EngineMetric.JOB_WAIT.metric().name()).timers();
  }

  @Test
  void combinationsBeyondTheBoundAreOneSeriesAndNothingIsLost() {
    countEverywhere();
    countEverywhere();
    assertThat(submitted()).hasSize(EngineMetrics.SORTS_MAX + 1);
    assertThat(submitted().stream().mapToDouble(Counter::count).sum())
        .isEqualTo(2.0 * QUEUES * CLASSES);
    assertThat(
            submitted().stream().filter(counter -> "_other".equals(counter.getId().getTag("kind"))))
        .hasSize(1)
        .allMatch(counter -> "_other".equals(counter.getId().getTag("queue")))
        .allMatch(counter -> "_other".equals(counter.getId().getTag("class")));
    assertThat(waits()).hasSize(EngineMetrics.SORTS_MAX + 1);
    assertThat(waits().stream().mapToLong(Timer::count).sum()).isEqualTo(2L * QUEUES * CLASSES);
  }
}
