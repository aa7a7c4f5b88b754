package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.Table.Row;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A transaction: what it has locked and written. Ends once, by commit or abort. */
final class Tx {
  /** A row that a transaction has written. */
  record Write<V>(Table<V> table, Row<V> row) {
    @Nullable V before() {
      return row.committed;
    }

    @Nullable V after() {
      return row.pending;
    }

    private void commit() {
      row.committed = row.pending;
      row.pending = null;
      row.writer = null;
    }

    /** A row that is gone takes no room. */
    private void prune() {
      if (row.committed == null && row.writer == null && row.locks.isEmpty()) {
        table.rows.remove(row.key);
      }
    }

    private void abort() {
      row.pending = null;
      row.writer = null;
    }
  }

  final String name;
  final List<Row<?>> locked = new ArrayList<>();
  final List<Write<?>> written = new ArrayList<>();
  boolean open = true;

  Tx(String name) {
    this.name = name;
  }

  /** Makes its writes visible at once. */
  void commit() {
    written.forEach(Write::commit);
    release();
  }

  /** Undoes what it did. */
  void abort() {
    if (open) {
      written.forEach(Write::abort);
      release();
    }
  }

  private void release() {
    open = false;
    for (Row<?> row : locked) {
      row.locks.removeIf(lock -> lock.tx() == this);
    }
    locked.clear();
    written.forEach(Write::prune);
  }
}
