package dev.millpond.engine.audit;

import dev.millpond.engine.audit.store.AuditStore;
import dev.millpond.engine.lifecycle.store.Transactions;
import java.util.ArrayList;
import java.util.List;

/** Reads what callers have changed. Thread-safe. */
public final class Audit {
  /** Rows that one look goes through. */
  private static final int WINDOW = 50_000;

  private final Transactions transactions;

  /**
   * Entries, newest first.
   *
   * @param before the id to go on from; 0 at the end
   * @param partial whether the look ended before the page was full
   */
  public record Look(List<AuditEntry> items, long before, boolean partial) {
    public Look {
      items = List.copyOf(items);
    }
  }

  public Audit(Transactions transactions) {
    this.transactions = transactions;
  }

  /**
   * Reads a page.
   *
   * @param before an id; those that are older are read. {@link Long#MAX_VALUE} for the newest
   * @param limit most entries, at least one
   */
  public Look list(AuditFilter filter, long before, int limit) {
    return transactions.callOrThrow(tx -> {
      long edge = AuditStore.edge(tx, before, WINDOW);
      List<AuditEntry> found =
          new ArrayList<>(AuditStore.list(tx, filter, before, edge, limit + 1));
      if (found.size() > limit) {
        found.removeLast();
        return new Look(found, found.getLast().id(), false);
      }
      return new Look(found, edge, edge > 0);
    });
  }
}
