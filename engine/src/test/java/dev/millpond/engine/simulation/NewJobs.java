package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.Rows.Batch;
import dev.millpond.engine.simulation.Rows.Dispatch;
import dev.millpond.engine.simulation.Rows.Job;
import dev.millpond.engine.simulation.Rows.Phase;
import dev.millpond.engine.simulation.Rows.State;
import dev.millpond.engine.simulation.Work.Said;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The new jobs of a flush: their batches, and the way that each of these goes (R2, ADR 15). */
final class NewJobs {
  private static final int BATCH_MAX = 4;

  private final Node node;
  private final World world;
  private final List<Job> jobs;
  private final int session;
  private final List<Dispatch> rows = new ArrayList<>();
  private final List<Dispatch> toSend = new ArrayList<>();
  private final List<Batch> kept = new ArrayList<>();

  /**
   * @param session of the node, read before its worker is asked: a later one never keeps for it
   */
  NewJobs(Node node, int session, List<Job> jobs) {
    this.node = node;
    this.world = node.world;
    this.jobs = List.copyOf(jobs);
    this.session = session;
    for (int lane = 0; lane < world.scenario.lanes(); lane++) {
      for (int kind = 0; kind < world.scenario.kinds(); kind++) {
        form(lane, kind);
      }
    }
  }

  private void form(int lane, int kind) {
    List<Job> now =
        jobs.stream()
            .filter(job -> job.lane() == lane && job.kind() == kind && !job.delayed())
            .toList();
    for (int from = 0; from < now.size(); ) {
      int size = Math.min(now.size() - from, 1 + world.random.nextInt(BATCH_MAX));
      route(lane, kind, now.subList(from, from + size));
      from += size;
    }
  }

  boolean isEmpty() {
    return jobs.isEmpty();
  }

  /** R2: marked as sent only if this node will XADD it. ADR 15: as claimed if it keeps it. */
  private void route(int lane, int kind, List<Job> some) {
    int[] tokens = new int[some.size()];
    Arrays.fill(tokens, 1);
    int[] ids = some.stream().mapToInt(Job::id).toArray();
    Batch batch = new Batch(world.nextBatch(), lane, kind, ids, tokens);
    Dispatch row = Dispatch.waiting(batch, node.shard(batch), false);
    if (node.worker != null && node.worker.reserve(kind)) {
      kept.add(batch);
      if (!world.has(Bug.KEPT_WITHOUT_SESSION)) {
        row = row.claimed(session, world.now);
      }
    } else if (node.carries(row.shard(), kind) && world.random.nextInt(4) > 0) {
      row = row.sent(world.now);
      toSend.add(row);
    }
    rows.add(row);
  }

  Said insertJobs(Tx tx) {
    for (Job job : jobs) {
      if (world.pg.job.insert(tx, job.id(), job) != Table.Insert.DONE) {
        return Said.UNIQUE;
      }
      if (job.delayed()) {
        long runAt = world.now + world.random.nextInt(800);
        world.pg.state.insert(
            tx, job.id(), State.resting(Phase.SCHEDULED, 1, 1, Rows.Past.NONE, runAt));
      }
    }
    return Said.DONE;
  }

  Said insertRows(Tx tx) {
    for (Dispatch row : rows) {
      Dispatch now = row;
      if (row.sentAt() != Rows.NEVER) {
        now = row.sent(world.now);
      } else if (row.claimedBy() != Rows.NOBODY) {
        now = row.claimed(row.claimedBy(), world.now);
      }
      if (world.pg.dispatch.insert(tx, row.batch().id(), now) != Table.Insert.DONE) {
        return Said.UNIQUE;
      }
    }
    return Said.DONE;
  }

  /**
   * Hands over what is committed.
   *
   * @param millis from the first sending of the flush to its answer
   */
  void committed(long millis) {
    if (!kept.isEmpty() && node.worker != null) {
      node.worker.keep(kept, session, millis);
    }
    for (Dispatch row : toSend) {
      Sender sender = node.senders.get(row.shard());
      if (sender != null) {
        sender.add(row.batch(), world.now - millis);
      }
    }
  }

  /** Nothing of it was committed. */
  void dropped() {
    if (node.worker != null) {
      node.worker.release(kept.size());
    }
    kept.clear();
    toSend.clear();
  }
}
