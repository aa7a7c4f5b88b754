package dev.millpond.engine.query;

import dev.millpond.api.UnavailableException;
import dev.millpond.engine.lifecycle.store.DatabaseException;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.query.store.Scan;
import dev.millpond.engine.query.store.Scan.Chunk;
import dev.millpond.engine.query.store.Snapshot;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Reads a page of a list within a window: in chunks that grow while they are quick, each in a
 * transaction of its own that is cut off when it takes too long. A look that found no full page in
 * its window says so and gives a cursor that goes on. Thread-safe.
 */
final class Look {
  /** Rows of the first chunk, and what each chunk may be to the one before. */
  private static final int FIRST_ROWS = 1_000;

  private static final int GROWTH = 4;
  private static final int ROWS_MAX = 16_000;

  /** When a chunk is cut off; a single row is given longer, as it cannot be made less. */
  private static final long CHUNK_MILLIS = 200;

  private static final long ROW_MILLIS = 1_000;

  /** A chunk that was cut off is tried again with this part of its rows. */
  private static final int SHRINK = 10;

  /** Looks at once: half of the connections, so that the rest has some left. */
  private static final int LOOKS_MAX = 4;

  private static final long PATIENCE_SECONDS = 5;

  private final Transactions transactions;
  private final Semaphore turns = new Semaphore(LOOKS_MAX, true);

  Look(Transactions transactions) {
    this.transactions = transactions;
  }

  /** What came of trying a chunk. */
  private sealed interface Attempt<P, T> {
    record Done<P, T>(Chunk<P, T> chunk) implements Attempt<P, T> {}

    /** It took too long, or one of its rows is not what it should be. */
    record Failed<P, T>(UnavailableException cause, boolean slow) implements Attempt<P, T> {}
  }

  /**
   * Looks.
   *
   * @param from where to begin
   * @param limit items of a full page
   * @param cursor how a position is written
   */
  <P, T> Page<T> page(
      Scan<P, T> scan, P from, int limit, Window window, Function<P, String> cursor) {
    awaitTurn();
    try {
      return look(scan, from, limit, window, cursor);
    } finally {
      turns.release();
    }
  }

  private <P, T> Page<T> look(
      Scan<P, T> scan, P from, int limit, Window window, Function<P, String> cursor) {
    long began = System.nanoTime();
    List<T> items = new ArrayList<>();
    P at = from;
    int left = window.rows();
    int rows = FIRST_ROWS;
    while (true) {
      long start = System.nanoTime();
      int ask = Math.min(rows, left);
      switch (read(scan, at, ask, limit - items.size())) {
        case Attempt.Done<P, T>(Chunk<P, T> chunk) -> {
          items.addAll(chunk.items());
          if (chunk.next() == null) {
            return new Page<>(items, null, false);
          }
          at = chunk.next();
          left -= ask;
          if (items.size() >= limit) {
            return new Page<>(items, cursor.apply(at), false);
          }
          long now = System.nanoTime();
          long remaining = window.time().toNanos() - (now - began);
          if (chunk.last() || left <= 0 || remaining <= 0) {
            return new Page<>(items, cursor.apply(at), true);
          }
          rows = next(ask, now - start, remaining);
        }
        case Attempt.Failed<P, T> failed -> {
          if (left < window.rows() && System.nanoTime() - began > window.time().toNanos()) {
            return new Page<>(items, cursor.apply(at), true);
          }
          if (ask > 1) {
            rows = Math.max(1, ask / SHRINK);
            continue;
          }
          at = overOne(scan, at, failed);
          if (at == null) {
            return new Page<>(items, null, false);
          }
          left--;
          if (left <= 0) {
            return new Page<>(items, cursor.apply(at), true);
          }
          rows = GROWTH;
        }
      }
    }
  }

  /** As many rows as fit into the rest of the window at the pace of the chunk before. */
  private static int next(int rows, long tookNanos, long remainingNanos) {
    double fit = (double) rows * remainingNanos / Math.max(1, tookNanos);
    return Math.clamp((long) Math.min(fit, (double) rows * GROWTH), 1, ROWS_MAX);
  }

  /** Steps over a row that cannot be read by itself, unless it is the filter's fault. */
  private <P, T> @Nullable P overOne(Scan<P, T> scan, P at, Attempt.Failed<P, T> failed) {
    String costly = scan.costly();
    if (costly == null) {
      throw failed.cause();
    }
    if (failed.slow()) {
      throw new InvalidFilterException(
          costly, "takes more than " + ROW_MILLIS + " ms for one job alone: make it simpler");
    }
    return transactions.<@Nullable P>callOrThrow(tx -> {
      Snapshot.beginScan(tx, ROW_MILLIS);
      return scan.skip(tx, at, 1);
    });
  }

  private <P, T> Attempt<P, T> read(Scan<P, T> scan, P at, int rows, int want) {
    try {
      return new Attempt.Done<>(
          transactions.callOrThrow(tx -> {
            Snapshot.beginScan(tx, rows == 1 ? ROW_MILLIS : CHUNK_MILLIS);
            return scan.read(tx, at, rows, want);
          }));
    } catch (UnavailableException e) {
      Pg.Fault fault = e.getCause() instanceof DatabaseException database ? database.fault() : null;
      if (fault == Pg.Fault.LOCK) {
        return new Attempt.Failed<>(e, true);
      }
      if (fault == Pg.Fault.DATA) {
        return new Attempt.Failed<>(e, false);
      }
      throw e;
    }
  }

  private void awaitTurn() {
    try {
      if (turns.tryAcquire(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        return;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    throw new UnavailableException(
        "More than " + LOOKS_MAX + " lists are being read at once", false, null);
  }
}
