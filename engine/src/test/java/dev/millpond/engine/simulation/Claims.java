package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.Redis.Entry;
import dev.millpond.engine.simulation.Redis.Refused;
import dev.millpond.engine.simulation.Rows.Batch;
import dev.millpond.engine.simulation.Rows.Dispatch;
import dev.millpond.engine.simulation.Rows.State;
import dev.millpond.engine.simulation.Table.Mode;
import dev.millpond.engine.simulation.Work.Answer;
import dev.millpond.engine.simulation.Work.Said;
import dev.millpond.engine.simulation.Worker.Loaded;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The claim loops of a worker: read, verify, load, hand over (R11, R14). */
final class Claims {
  private Claims() {}

  record Claimed(Batch batch, @Nullable Entry entry) {}

  /** A claim loop: one claimed batch after the other is loaded, statement by statement. */
  abstract static class Loop extends Task {
    final Worker worker;
    final World world;
    final ArrayDeque<Claimed> claimed = new ArrayDeque<>();
    private int statement;
    private boolean exists;
    private final Set<Integer> ended = new HashSet<>();
    private final Map<Integer, State> states = new HashMap<>();
    private long loadUntil;

    Loop(Worker worker) {
      super(worker.node);
      this.worker = worker;
      this.world = worker.world;
    }

    abstract void claim();

    /** Whether some of what was read is still to be looked at. */
    boolean hasMore() {
      return false;
    }

    @Override
    final void step() {
      readyAt = world.now + world.latency();
      if (claimed.isEmpty()) {
        statement = 0;
        if (hasMore() || worker.hasRoom()) {
          claim();
        } else {
          readyAt = world.now + 10;
        }
      } else {
        load(claimed.getFirst());
      }
    }

    /** R14: row, outcomes, states, in this order, each with a snapshot of its own. */
    private void load(Claimed one) {
      if (statement == 0) {
        loadUntil = world.now + World.SETTLE;
      }
      if (world.chaos.cutsHere()) {
        statement = 0;
        if (world.now > loadUntil) {
          claimed.removeFirst(); // left to the reaper
        }
        return;
      }
      Batch batch = one.batch();
      switch (statement++) {
        case 0 -> exists = world.pg.dispatch.committed(batch.id()) != null;
        case 1 -> {
          ended.clear();
          for (int job : batch.jobs()) {
            if (world.pg.outcome.committed(job) != null) {
              ended.add(job);
            }
          }
        }
        case 2 -> {
          states.clear();
          for (int job : batch.jobs()) {
            State state = world.pg.state.committed(job);
            if (state != null) {
              states.put(job, state);
            }
          }
        }
        default -> {
          claimed.removeFirst();
          statement = 0;
          handOver(one);
        }
      }
    }

    private void handOver(Claimed one) {
      Batch batch = one.batch();
      if (!exists) {
        worker.release(batch, one.entry());
        return;
      }
      List<Loaded> jobs = new ArrayList<>();
      for (int i = 0; i < batch.jobs().length; i++) {
        int job = batch.jobs()[i];
        Loaded loaded = Worker.load(job, batch.tokens()[i], ended.contains(job), states.get(job));
        if (loaded != null) {
          jobs.add(loaded);
        }
      }
      worker.accept(batch, one.entry(), jobs, true);
      if (world.has(Bug.ACK_BEFORE_COMMIT)) {
        worker.release(batch, one.entry());
      }
    }
  }

  /** From the streams of one server: XREADGROUP, claim hints. */
  static final class FromStreams extends Loop {
    private final Link link;
    private final Redis redis;
    private final Set<Integer> grouped = new HashSet<>();
    private final ArrayDeque<Entry> read = new ArrayDeque<>();

    FromStreams(Worker worker, Link link) {
      super(worker);
      this.link = link;
      this.redis = link.redis;
    }

    @Override
    boolean hasMore() {
      return !read.isEmpty();
    }

    @Override
    void claim() {
      try {
        if (!read.isEmpty()) {
          hint(read.removeFirst());
          return;
        }
        List<Integer> lanes = worker.openLanes();
        if (!grouped.containsAll(lanes)) {
          link.call(() -> {
            redis.createGroups(lanes);
            return true;
          });
          grouped.addAll(lanes);
        } else {
          read.addAll(link.call(() -> redis.read(lanes, 2, worker.node.process)));
          if (read.isEmpty()) {
            readyAt = world.now + 10 + world.random.nextInt(20);
          } else if (world.chaos.cutsHere()) {
            read.clear(); // the answer is lost: pending with this consumer
          }
        }
      } catch (Refused e) {
        grouped.clear();
        readyAt = world.now + 10 + world.random.nextInt(40);
      }
    }

    /** R14: turns away the second reader of a doubled entry, who acks its own copy. */
    private void hint(Entry entry) throws Refused {
      if (link.call(() -> redis.hint(entry.batch()))) {
        claimed.add(new Claimed(entry.batch(), entry));
      } else {
        worker.node.remove(entry);
      }
    }
  }

  /** Rows of shards that are of no use here, and of those that this process does not know. */
  private static boolean isClaimed(World world, Dispatch row, Set<Integer> usable) {
    return !usable.contains(row.shard()) && !world.has(Bug.ONLY_DIRECT_IS_CLAIMED);
  }

  /** From the table: waiting rows, SKIP LOCKED, with a commit that does not wait for the disk. */
  static final class FromTable extends Loop {
    private boolean waiting;

    FromTable(Worker worker) {
      super(worker);
    }

    @Override
    void claim() {
      Set<Integer> usable = worker.node.usable();
      boolean aside = !usable.isEmpty() && usable.size() == worker.node.links.size();
      readyAt = world.now + 5 + world.random.nextInt(aside ? 200 : 25);
      if (waiting) {
        return;
      }
      waiting = true;
      int session = worker.node.session;
      List<Integer> lanes = worker.openLanes();
      List<Batch> got = new ArrayList<>();
      Work work =
          Work.interactive(
              world,
              worker.node,
              "claim by s" + session,
              answer -> {
                waiting = false;
                if (answer == Answer.COMMITTED) {
                  got.forEach(batch -> claimed.add(new Claimed(batch, null)));
                  readyAt = world.now;
                }
              });
      work.lazy = true;
      work.then(
              tx -> {
                for (long id : world.pg.dispatch.keys()) {
                  Dispatch row = world.pg.dispatch.committed(id);
                  if (got.size() < 2
                      && row != null
                      && row.waits()
                      && lanes.contains(row.batch().lane())
                      && worker.kinds.contains(row.batch().kind())
                      && (row.direct() || isClaimed(world, row, usable))
                      && world.pg.dispatch.lock(tx, id, Mode.NO_KEY_UPDATE)) {
                    world.pg.dispatch.write(tx, id, row.claimed(session, world.now));
                    got.add(row.batch());
                  }
                }
                return got.isEmpty() ? Said.ROLL_BACK : Said.DONE;
              })
          .start();
    }
  }
}
