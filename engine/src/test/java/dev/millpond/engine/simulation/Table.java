package dev.millpond.engine.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A table under READ COMMITTED: one committed version of each row, at most one uncommitted one, and
 * row locks. A read sees what is committed and what its own transaction wrote.
 *
 * @param <V> an immutable row
 */
final class Table<V> {
  /** PostgreSQL's row locks, weakest first. */
  enum Mode {
    KEY_SHARE,
    SHARE,
    NO_KEY_UPDATE,
    UPDATE;

    boolean conflicts(Mode other) {
      return switch (this) {
        case KEY_SHARE -> other == UPDATE;
        case SHARE -> other == NO_KEY_UPDATE || other == UPDATE;
        case NO_KEY_UPDATE -> other != KEY_SHARE;
        case UPDATE -> true;
      };
    }
  }

  /** What an insert finds. */
  enum Insert {
    DONE,
    /** A row that is there. */
    EXISTS,
    /** Somebody's uncommitted row: to be waited for. */
    BLOCKED
  }

  /** One row: its versions, and who has locked it. */
  static final class Row<V> {
    final long key;
    @Nullable V committed;
    @Nullable V pending;
    @Nullable Tx writer;
    final List<Lock> locks = new ArrayList<>(2);

    Row(long key) {
      this.key = key;
    }

    @Nullable V seenBy(@Nullable Tx tx) {
      return writer != null && writer == tx ? pending : committed;
    }

    private boolean free(Tx tx, Mode mode) {
      for (Lock lock : locks) {
        if (lock.tx != tx && lock.mode.conflicts(mode)) {
          return false;
        }
      }
      return true;
    }
  }

  /** A lock that is held until the end of its transaction. */
  record Lock(Tx tx, Mode mode) {}

  final String name;
  final TreeMap<Long, Row<V>> rows = new TreeMap<>();

  Table(String name) {
    this.name = name;
  }

  @Nullable V committed(long key) {
    return read(null, key);
  }

  @Nullable V read(@Nullable Tx tx, long key) {
    Row<V> row = rows.get(key);
    return row == null ? null : row.seenBy(tx);
  }

  /** Keys of the rows that are committed, in order. */
  List<Long> keys() {
    List<Long> keys = new ArrayList<>();
    rows.forEach((key, row) -> {
      if (row.committed != null) {
        keys.add(key);
      }
    });
    return keys;
  }

  boolean isEmpty() {
    for (Row<V> row : rows.values()) {
      if (row.committed != null) {
        return false;
      }
    }
    return true;
  }

  /** Locks a row; false when it has to be waited for. The caller reads the row after that. */
  boolean lock(Tx tx, long key, Mode mode) {
    Row<V> row = rows.get(key);
    if (row == null) {
      return true;
    }
    if (!row.free(tx, mode)) {
      return false;
    }
    row.locks.add(new Lock(tx, mode));
    tx.locked.add(row);
    return true;
  }

  /** Changes or, with null, deletes a row that the caller has locked. */
  void write(Tx tx, long key, @Nullable V value) {
    Row<V> row = rows.computeIfAbsent(key, Row::new);
    if (row.writer != null && row.writer != tx) {
      throw new IllegalStateException(name + " " + key + " is written by two transactions");
    }
    if (row.writer == null) {
      row.writer = tx;
      tx.written.add(new Tx.Write<>(this, row));
    }
    row.pending = value;
  }

  /** Inserts under the primary key. */
  Insert insert(Tx tx, long key, V value) {
    Row<V> row = rows.get(key);
    if (row != null) {
      if (row.writer != null && row.writer != tx) {
        return Insert.BLOCKED;
      }
      if (row.seenBy(tx) != null) {
        return Insert.EXISTS;
      }
    }
    write(tx, key, value);
    row = rows.get(key);
    if (row != null) {
      row.locks.add(new Lock(tx, Mode.UPDATE));
      tx.locked.add(row);
    }
    return Insert.DONE;
  }
}
