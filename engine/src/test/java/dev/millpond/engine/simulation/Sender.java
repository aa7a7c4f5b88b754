package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.Redis.Entry;
import dev.millpond.engine.simulation.Redis.Refused;
import dev.millpond.engine.simulation.Rows.Batch;
import dev.millpond.engine.simulation.Table.Mode;
import dev.millpond.engine.simulation.Work.Said;
import java.util.ArrayDeque;

/** Writes to the stream: adds committed batches (R2), removes ended ones. What fails is dropped. */
final class Sender extends Task {
  private sealed interface Op {
    record Add(Batch batch, long committedAt) implements Op {}

    /** XDEL, and in the same pipeline XACK. */
    record Delete(Entry entry) implements Op {}

    record Ack(Entry entry, int starts) implements Op {}
  }

  private final Node node;
  private final World world;
  private final ArrayDeque<Op> ops = new ArrayDeque<>();

  Sender(Node node) {
    super(node);
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
          world.redis.delete(delete.entry().id());
          ops.addFirst(new Op.Ack(delete.entry(), world.redis.starts));
        }
        case Op.Ack ack -> {
          if (ack.starts() == world.redis.starts) {
            world.redis.ack(ack.entry().id());
          }
        }
      }
    } catch (Refused e) {
      world.checks.count("dropped");
    }
  }

  private void xadd(Batch batch) {
    try {
      world.redis.add(batch);
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
