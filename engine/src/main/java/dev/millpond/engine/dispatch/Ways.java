package dev.millpond.engine.dispatch;

import dev.millpond.engine.threads.LoopThread;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * All ways of a node: the streams by shard, and PostgreSQL, which carries whatever has no working
 * stream. Thread-safe.
 */
public final class Ways implements AutoCloseable {
  private final List<? extends Dispatch> streams;
  private final Map<Integer, Dispatch> byShard = new HashMap<>();
  private final Dispatch postgres;
  private final Runnable others;
  private final Supplier<Barred> barred;

  /**
   * @param streams each with its shards; empty without Redis
   */
  public Ways(List<? extends Dispatch> streams, Dispatch postgres) {
    this(streams, postgres, () -> {}, () -> Barred.NONE);
  }

  /**
   * @param others called, very often, after a commit that left something for those that look for it
   *     in PostgreSQL, other processes as well; must not block
   * @param barred what is put on no stream now
   */
  public Ways(
      List<? extends Dispatch> streams,
      Dispatch postgres,
      Runnable others,
      Supplier<Barred> barred) {
    this.barred = barred;
    this.others = others;
    this.streams = List.copyOf(streams);
    this.postgres = postgres;
    for (Dispatch way : streams) {
      way.shards().forEach(shard -> byShard.put(shard, way));
    }
  }

  /** Whether this node will put the batch on its stream. */
  public boolean sends(Batch batch) {
    Dispatch way = byShard.get(batch.shard());
    return way != null
        && way.sends(batch)
        && !barred.get().bars(batch.lane().queue(), batch.kind());
  }

  /** Puts committed batches on their streams. */
  public void send(List<Batch> batches, long committedNanos) {
    for (Dispatch way : streams) {
      List<Batch> mine = new ArrayList<>(batches.size());
      for (Batch batch : batches) {
        if (way.shards().contains(batch.shard())) {
          mine.add(batch);
        }
      }
      if (!mine.isEmpty()) {
        way.send(mine, committedNanos);
      }
    }
  }

  /** Shards whose streams this process reads now. */
  public List<Integer> read() {
    List<Integer> read = new ArrayList<>();
    for (Dispatch way : streams) {
      if (way.up()) {
        read.addAll(way.shards());
      }
    }
    return read;
  }

  /** Tells waiting claimers, of this node first, that rows may wait in the table. */
  public void rowsWait() {
    postgres.wake();
    others.run();
  }

  /** Tells whoever promotes that a job is due before it would look next. */
  public void dueSoon() {
    others.run();
  }

  /** The way that everything goes that is on no stream. */
  public Dispatch table() {
    return postgres;
  }

  /** Without one of them, what it would have sent waits in the table. */
  public List<LoopThread> threads() {
    return all().stream().flatMap(way -> way.threads().stream()).toList();
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
