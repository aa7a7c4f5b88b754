package dev.millpond.engine.maintenance;

import dev.millpond.engine.books.store.BooksStore;
import dev.millpond.engine.flow.FlowSettings;
import dev.millpond.engine.metrics.EngineMetrics;
import dev.millpond.engine.query.QueueView;
import dev.millpond.engine.query.RestingCounts;
import dev.millpond.engine.query.store.QueueReadStore;
import dev.millpond.engine.query.store.QueueReadStore.Resting;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.MultiGauge.Row;
import io.micrometer.core.instrument.Tags;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Publishes depth and oldest age of the queues; by the leader alone, so that each is there once.
 */
final class QueueSampler {
  /** Queues sampled. */
  record Result(int queues) {}

  private final Leadership leadership;

  private final Supplier<FlowSettings> flow;

  private final RestingCounts resting;
  private final MultiGauge depth;
  private final MultiGauge age;
  private final MultiGauge closed;
  private final MultiGauge drain;

  QueueSampler(
      Leadership leadership,
      Supplier<FlowSettings> flow,
      RestingCounts resting,
      EngineMetrics metrics) {
    this.leadership = leadership;
    this.flow = flow;
    this.resting = resting;
    this.depth =
        metrics.multiGauge("millpond.queue.depth", "Jobs of a queue by state, as last counted");
    this.age =
        metrics.multiGauge(
            "millpond.queue.oldest.age.seconds", "Age of the oldest batch on its way");
    this.closed =
        metrics.multiGauge("millpond.gate.closed", "1 while a queue is full and refuses jobs");
    this.drain =
        metrics.multiGauge(
            "millpond.queue.drain", "Jobs that leave a queue in a second, as measured");
  }

  /** Samples as the leader; otherwise forgets what it published as one. */
  Result runOnce() {
    if (!leadership.held()) {
      depth.register(List.of(), true);
      age.register(List.of(), true);
      closed.register(List.of(), true);
      drain.register(List.of(), true);
      return new Result(0);
    }
    Map<String, Resting> counts = resting.get();
    List<QueueView> queues =
        leadership.call(tx -> QueueReadStore.queues(tx, BooksStore.queues(tx), flow.get(), counts));
    List<Row<?>> depths = new ArrayList<>();
    List<Row<?>> ages = new ArrayList<>();
    List<Row<?>> gates = new ArrayList<>();
    List<Row<?>> rates = new ArrayList<>();
    for (QueueView queue : queues) {
      for (QueueView.ClassDepth of : queue.classes()) {
        depths.add(row(queue.name(), of.priorityClass(), "runnable", of.depth()));
      }
      depths.add(row(queue.name(), "", "scheduled", queue.scheduled()));
      depths.add(row(queue.name(), "", "dead", queue.dead()));
      ages.add(Row.of(Tags.of("queue", queue.name()), queue.oldestAgeMillis() / 1_000.0));
      gates.add(Row.of(Tags.of("queue", queue.name()), queue.closed() ? 1 : 0));
      rates.add(Row.of(Tags.of("queue", queue.name()), queue.drainPerSecond()));
    }
    depth.register(depths, true);
    age.register(ages, true);
    closed.register(gates, true);
    drain.register(rates, true);
    return new Result(queues.size());
  }

  private static Row<?> row(String queue, String priorityClass, String state, long jobs) {
    return Row.of(Tags.of("queue", queue, "class", priorityClass, "state", state), jobs);
  }
}
