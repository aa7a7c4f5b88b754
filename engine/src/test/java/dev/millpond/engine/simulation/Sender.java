package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.Redis.Entry;
import dev.millpond.engine.simulation.Redis.Refused;
import dev.millpond.engine.simulation.Rows.Batch;
import dev.millpond.engine.simulation.Table.Mode;
import dev.millpond.engine.simulation.Work.Said;
import java.util.ArrayDeque;

/**
 * Writes to the streams of one server: adds committed batches (R2), removes ended ones. What fails
 * is dropped.
 */
final class Sender extends Task {
  private sealed interface Op {
    record Add(Batch batch, long committedAt) implements Op {}

    /** XDEL, and in the same pipeline XACK. */
    record Delete(Entry entry) implements Op {}

    record Ack(Entry entry, int starts) implements Op {}
  }

  private static final long PROBE = 250;

  private final Node node;
  private final Link link;
  private final Redis redis;
  private long nextProbe;
  private final World world;
  private final ArrayDeque<Op> ops = new ArrayDeque<>();

  Sender(Node node, Link link) {
    super(node);
    this.link = link;
    this.redis = link.redis;
    this.node = node;
    this.world = node.world;
  }

  void add(Batch batch, long committedAt) {
    ops.add(new Op.Add(batch, committedAt));
  }

  /** From the stream first, then from the pending list (ADR 8). */
  void remove(Entry entry) {
    ops.add(new Op.Delete(entry));
  }

  @Override
  void step() {
    if (!link.usable() && world.now >= nextProbe) {
      probe();
      return;
    }
    Op op = ops.poll();
    readyAt = world.now + (op == null ? 10 : world.latency());
    if (op == null) {
      return;
    }
    try {
      switch (op) {
        case Op.Add add -> {
          // R2: within S of the commit, by the monotonic clock; else it is left to others. The
          // look at the clock and the command are two steps: a pause may come in between.
          if (world.now - add.committedAt() < World.SETTLE) {
            world.later(node, world.latency(), () -> xadd(add.batch()));
          }
        }
        case Op.Delete delete -> {
          link.call(() -> {
            redis.delete(delete.entry());
            return true;
          });
          ops.addFirst(new Op.Ack(delete.entry(), redis.starts));
        }
        case Op.Ack ack -> {
          if (ack.starts() == redis.starts) {
            link.call(() -> {
              redis.ack(ack.entry());
              return true;
            });
          }
        }
      }
    } catch (Refused e) {
      world.checks.count("dropped");
    }
  }

  /** Looks at a server that may not be used. */
  private void probe() {
    readyAt = world.now + world.latency();
    nextProbe = world.now + PROBE;
    try {
      link.probe();
    } catch (Refused e) {
      world.checks.count("probed in vain");
    }
  }

  private void xadd(Batch batch) {
    try {
      link.call(() -> {
        redis.add(batch);
        return true;
      });
    } catch (Refused e) {
      world.checks.count("dropped");
      return;
    }
    if (world.has(Bug.SUBMITTER_DELETES_THE_ROW)) {
      Work.interactive(world, node, "delete of the row", answer -> {})
          .then(tx -> {
            if (!world.pg.dispatch.lock(tx, batch.id(), Mode.UPDATE)) {
              return Said.BLOCKED;
            }
            if (world.pg.dispatch.read(tx, batch.id()) != null) {
              world.pg.dispatch.write(tx, batch.id(), null);
            }
            return Said.DONE;
          })
          .start();
    }
  }
}
