package dev.millpond.engine.maintenance;

import dev.millpond.engine.books.store.BooksStore;
import dev.millpond.engine.dispatch.store.DispatchStore;
import dev.millpond.engine.dispatch.store.DispatchStore.Sort;
import dev.millpond.engine.fleet.WorkerView;
import dev.millpond.engine.fleet.store.WorkerStore;
import dev.millpond.engine.flow.FlowSettings;
import dev.millpond.engine.metrics.EngineMetric;
import dev.millpond.engine.metrics.EngineMetrics;
import dev.millpond.engine.query.QueueView;
import dev.millpond.engine.query.RestingCounts;
import dev.millpond.engine.query.store.QueueReadStore;
import dev.millpond.engine.query.store.QueueReadStore.Resting;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Publishes the queues and the workers of the fleet; by the leader alone, so that each is there
 * once. Queues beyond the bound of their label are published together.
 */
final class QueueSampler {
  /** What was sampled. */
  record Result(int queues, int workers) {}

  private final Leadership leadership;
  private final Supplier<FlowSettings> flow;
  private final RestingCounts resting;
  private final EngineMetrics metrics;
  private final Published published;

  QueueSampler(
      Leadership leadership,
      Supplier<FlowSettings> flow,
      RestingCounts resting,
      EngineMetrics metrics) {
    this.leadership = leadership;
    this.flow = flow;
    this.resting = resting;
    this.metrics = metrics;
    this.published = new Published(metrics);
  }

  private record Read(List<QueueView> queues, List<Sort> sorts, List<WorkerView> workers) {}

  /** Samples as the leader; otherwise forgets what it published as one. */
  Result runOnce() {
    if (!leadership.held()) {
      published.publish();
      return new Result(0, 0);
    }
    Map<String, Resting> counts = resting.get();
    Read read =
        leadership.unconfirmed(tx -> {
          List<Sort> sorts = DispatchStore.sorts(tx);
          return new Read(
              QueueReadStore.queues(tx, BooksStore.queues(tx), sorts, flow.get(), counts),
              sorts,
              WorkerStore.list(tx));
        });
    Map<String, QueueFigures> queues = new HashMap<>();
    for (QueueView queue : read.queues()) {
      queues.computeIfAbsent(metrics.queue(queue.name()), QueueFigures::new).add(queue, metrics);
    }
    queues.values().forEach(queue -> queue.show(published));
    showWorkers(read);
    published.publish();
    return new Result(read.queues().size(), read.workers().size());
  }

  /** Of kinds that have jobs it is said as well when nobody runs them. */
  private void showWorkers(Read read) {
    Map<String, Integer> kinds = new HashMap<>();
    read.sorts().forEach(sort -> kinds.put(metrics.kind(sort.kind()), 0));
    Map<WorkerView.State, Integer> states = new HashMap<>();
    for (WorkerView.State state : WorkerView.State.values()) {
      states.put(state, 0);
    }
    for (WorkerView worker : read.workers()) {
      states.merge(worker.state(), 1, Integer::sum);
      if (worker.state() == WorkerView.State.ACTIVE) {
        worker.kinds().forEach(kind -> kinds.merge(metrics.kind(kind), 1, Integer::sum));
      }
    }
    kinds.forEach((kind, workers) -> published.add(EngineMetric.KIND_WORKERS, workers, kind));
    states.forEach((state, workers) ->
        published.add(EngineMetric.WORKERS, workers, state.name().toLowerCase(Locale.ROOT)));
  }
}
