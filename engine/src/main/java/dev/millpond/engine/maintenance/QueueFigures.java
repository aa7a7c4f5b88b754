package dev.millpond.engine.maintenance;

import dev.millpond.engine.admission.Watermarks;
import dev.millpond.engine.admission.Watermarks.Mark;
import dev.millpond.engine.metrics.EngineMetric;
import dev.millpond.engine.metrics.EngineMetrics;
import dev.millpond.engine.query.QueueView;
import java.util.HashMap;
import java.util.Map;

/** What is published of one queue, or of several that have one label. Confined to one thread. */
final class QueueFigures {
  private final String label;
  private final Map<String, Long> depths = new HashMap<>();
  private long bytes;
  private long scheduled;
  private long dead;
  private long oldestMillis;
  private double drain;
  private boolean closed;
  private Watermarks watermarks = Watermarks.NONE;

  QueueFigures(String label) {
    this.label = label;
  }

  void add(QueueView queue, EngineMetrics metrics) {
    for (QueueView.ClassDepth of : queue.classes()) {
      depths.merge(metrics.priorityClass(of.priorityClass()), of.depth(), Long::sum);
    }
    bytes += queue.payloadBytes();
    scheduled += queue.scheduled();
    dead += queue.dead();
    oldestMillis = Math.max(oldestMillis, queue.oldestAgeMillis());
    drain += queue.drainPerSecond();
    closed |= queue.closed();
    if (label.equals(queue.name())) { // marks of several say nothing
      watermarks = queue.watermarks();
    }
  }

  void show(Published published) {
    depths.forEach((priorityClass, jobs) ->
        published.add(EngineMetric.QUEUE_DEPTH, jobs, label, priorityClass, "runnable"));
    published.add(EngineMetric.QUEUE_DEPTH, scheduled, label, "", "scheduled");
    published.add(EngineMetric.QUEUE_DEPTH, dead, label, "", "dead");
    published.add(EngineMetric.QUEUE_OLDEST_AGE, oldestMillis / 1_000.0, label);
    published.add(EngineMetric.QUEUE_DRAIN, drain, label);
    published.add(EngineMetric.GATE_CLOSED, closed ? 1 : 0, label);
    published.add(EngineMetric.QUEUE_BYTES, bytes, label);
    show(published, EngineMetric.QUEUE_WATERMARK, watermarks.jobs());
    show(published, EngineMetric.QUEUE_WATERMARK_BYTES, watermarks.bytes());
  }

  private void show(Published published, EngineMetric metric, Mark mark) {
    if (mark.marked()) {
      published.add(metric, mark.high(), label, "high");
      published.add(metric, mark.low(), label, "low");
    }
  }
}
