package dev.millpond.engine.fleet;

import dev.millpond.engine.audit.store.AuditStore;
import dev.millpond.engine.fleet.store.RunningStore;
import dev.millpond.engine.fleet.store.WorkerStore;
import dev.millpond.engine.flow.InvalidSettingException;
import dev.millpond.engine.flow.Remarks;
import dev.millpond.engine.lifecycle.store.Transactions;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The workers of the fleet. One that is asked to drain takes nothing more, gives back what it has
 * not started, and goes on with what it has; it stays so until it is asked to resume, or its
 * process ends. No attempt is burned. Thread-safe.
 */
public final class Workers {
  private final Transactions transactions;

  public Workers(Transactions transactions) {
    this.transactions = transactions;
  }

  /** All that have a row, the longest running first; lost ones until what they held is rescued. */
  public List<WorkerView> list() {
    return transactions.callOrThrow(WorkerStore::list);
  }

  /**
   * One of them.
   *
   * @param id of its session or of its process
   */
  public Optional<WorkerView> find(UUID id) {
    return transactions.callOrThrow(tx -> WorkerStore.find(tx, id));
  }

  /**
   * What a worker runs, as far as it takes longer than the settle time; the longest running first,
   * at most {@link RunningStore#LIST_MAX}.
   *
   * @param id of its session or of its process
   */
  public List<RunningJob> running(UUID id) {
    return transactions.callOrThrow(tx -> RunningStore.read(tx, id));
  }

  /**
   * Asks a worker to take nothing more. Asked again, the first order stands.
   *
   * @param id of its session or of its process
   * @param by who asks, {@link Remarks#BY_MAX} characters at most
   * @param reason {@link Remarks#REASON_MAX} characters at most
   * @throws InvalidSettingException as {@link Remarks#check}
   */
  public DrainResult drain(UUID id, @Nullable String by, @Nullable String reason) {
    Remarks.check(by, reason);
    return transactions.callOrThrow(tx -> {
      AuditStore.around(
          tx,
          "workers.drain",
          id.toString(),
          () -> WorkerStore.facts(tx, id),
          () -> {
            WorkerStore.drain(tx, id, by, reason);
            return true;
          });
      return result(id, WorkerStore.find(tx, id));
    });
  }

  /**
   * Lets a worker take jobs again.
   *
   * @param id of its session or of its process
   */
  public DrainResult resume(UUID id) {
    return transactions.callOrThrow(tx -> {
      AuditStore.around(
          tx,
          "workers.resume",
          id.toString(),
          () -> WorkerStore.facts(tx, id),
          () -> {
            WorkerStore.resume(tx, id);
            return true;
          });
      return result(id, WorkerStore.find(tx, id));
    });
  }

  private static DrainResult result(UUID id, Optional<WorkerView> found) {
    if (found.isEmpty()) {
      return new DrainResult.Unknown(id);
    }
    WorkerView worker = found.get();
    return worker.state() == WorkerView.State.LOST
        ? new DrainResult.Lost(id)
        : new DrainResult.Asked(worker);
  }
}
