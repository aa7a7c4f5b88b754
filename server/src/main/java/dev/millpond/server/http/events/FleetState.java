package dev.millpond.server.http.events;

import dev.millpond.api.UnavailableException;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.fleet.WorkerView;
import dev.millpond.engine.flow.Pause;
import dev.millpond.engine.query.Activity;
import dev.millpond.engine.query.Health;
import dev.millpond.engine.query.QueueView;
import dev.millpond.server.http.health.Readiness;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The fleet at one moment.
 *
 * @param activity null while PostgreSQL does not answer; then there are no queues and workers
 *     either
 * @param queues the deepest of them, by name
 * @param workers those that have a row
 * @param more whether there are more queues or workers than are listed
 * @param pauses of kinds and tags
 */
record FleetState(
    @Nullable Activity activity,
    List<QueueView> queues,
    List<WorkerView> workers,
    boolean more,
    Totals totals,
    List<Pause> pauses,
    Health health) {

  /** Queues, and workers, that are listed at most. */
  static final int LISTED = 200;

  /**
   * Over all queues and workers.
   *
   * @param scheduled or waiting
   */
  record Totals(
      long depth,
      long scheduled,
      long dead,
      long oldestAgeMillis,
      double drainPerSecond,
      int closed,
      int queues,
      int workers,
      int slots,
      int busy) {}

  FleetState {
    queues = List.copyOf(queues);
    workers = List.copyOf(workers);
    pauses = List.copyOf(pauses);
  }

  /** Asks the engine. */
  static FleetState read(Millpond millpond, Readiness readiness) {
    Health health = readiness.health();
    try {
      Activity activity = millpond.activity();
      List<QueueView> queues = millpond.queues();
      List<WorkerView> workers = millpond.workers().list();
      return new FleetState(
          activity,
          deepest(queues),
          workers.subList(0, Math.min(LISTED, workers.size())),
          queues.size() > LISTED || workers.size() > LISTED,
          totals(queues, workers),
          millpond.flow().settings().pauses().all().stream()
              .filter(pause -> pause.scope() != Pause.Scope.QUEUE)
              .limit(LISTED)
              .toList(),
          health);
    } catch (UnavailableException e) {
      return new FleetState(
          null,
          List.of(),
          List.of(),
          false,
          new Totals(0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
          List.of(),
          health);
    }
  }

  private static List<QueueView> deepest(List<QueueView> queues) {
    if (queues.size() <= LISTED) {
      return queues;
    }
    return queues.stream()
        .sorted(Comparator.comparingLong(QueueView::depth).reversed())
        .limit(LISTED)
        .sorted(Comparator.comparing(QueueView::name))
        .toList();
  }

  private static Totals totals(List<QueueView> queues, List<WorkerView> workers) {
    List<WorkerView> live = workers.stream().filter(FleetState::lives).toList();
    return new Totals(
        queues.stream().mapToLong(QueueView::depth).sum(),
        queues.stream().mapToLong(QueueView::scheduled).sum(),
        queues.stream().mapToLong(QueueView::dead).sum(),
        queues.stream().mapToLong(QueueView::oldestAgeMillis).max().orElse(0),
        queues.stream().mapToDouble(QueueView::drainPerSecond).sum(),
        (int) queues.stream().filter(QueueView::closed).count(),
        queues.size(),
        live.size(),
        live.stream().mapToInt(WorkerView::slots).sum(),
        live.stream().mapToInt(WorkerView::busy).sum());
  }

  static boolean lives(WorkerView worker) {
    return switch (worker.state()) {
      case ACTIVE, DRAINING, DRAINED -> true;
      case SILENT, LOST -> false;
    };
  }
}
