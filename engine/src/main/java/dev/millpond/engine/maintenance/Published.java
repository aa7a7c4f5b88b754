package dev.millpond.engine.maintenance;

import dev.millpond.engine.metrics.EngineMetric;
import dev.millpond.engine.metrics.EngineMetrics;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.MultiGauge.Row;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Gauges whose rows are gathered and then published together: what is not gathered again is not
 * there any more. Confined to one thread.
 */
final class Published {
  private final EngineMetrics metrics;
  private final Map<EngineMetric, MultiGauge> gauges = new EnumMap<>(EngineMetric.class);
  private final Map<EngineMetric, List<Row<?>>> gathered = new EnumMap<>(EngineMetric.class);

  Published(EngineMetrics metrics) {
    this.metrics = metrics;
  }

  void add(EngineMetric metric, long value, String... labels) {
    add(metric, (double) value, labels);
  }

  void add(EngineMetric metric, double value, String... labels) {
    gathered
        .computeIfAbsent(metric, m -> new ArrayList<>())
        .add(EngineMetrics.row(metric, value, labels));
  }

  /** Publishes what was gathered since the last time, and nothing else. */
  void publish() {
    gathered.keySet().forEach(metric -> gauges.computeIfAbsent(metric, metrics::multiGauge));
    gauges.forEach(
        (metric, gauge) -> gauge.register(gathered.getOrDefault(metric, List.of()), true));
    gathered.clear();
  }
}
