package dev.millpond.engine.dispatch;

import java.util.ArrayList;
import java.util.List;

/**
 * All ways of a node: the streams by shard, and PostgreSQL, which carries whatever has no working
 * stream. Thread-safe.
 */
public final class Ways implements AutoCloseable {
  private final List<? extends Dispatch> streams;
  private final Dispatch postgres;

  /**
   * @param streams one a Redis server, in shard order; empty without Redis
   */
  public Ways(List<? extends Dispatch> streams, Dispatch postgres) {
    this.streams = List.copyOf(streams);
    this.postgres = postgres;
  }

  /** Whether this node will put the batch on its stream. */
  public boolean sends(Batch batch) {
    return !streams.isEmpty() && streams.get(batch.shard() % streams.size()).sends(batch);
  }

  /** Puts committed batches on their streams. */
  public void send(List<Batch> batches, long committedNanos) {
    for (int server = 0; server < streams.size(); server++) {
      List<Batch> mine = new ArrayList<>(batches.size());
      for (Batch batch : batches) {
        if (batch.shard() % streams.size() == server) {
          mine.add(batch);
        }
      }
      if (!mine.isEmpty()) {
        streams.get(server).send(mine, committedNanos);
      }
    }
  }

  /** Tells waiting claimers of this node that rows may wait in the table. */
  public void wakePostgres() {
    postgres.wake();
  }

  /** The way that everything goes that is on no stream. */
  public Dispatch table() {
    return postgres;
  }

  /** Every way, for one claim loop each. */
  public List<Dispatch> all() {
    List<Dispatch> all = new ArrayList<>(streams);
    all.add(postgres);
    return all;
  }

  @Override
  public void close() {
    all().forEach(Dispatch::close);
  }
}
