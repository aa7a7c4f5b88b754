package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.Rows.Batch;
import dev.millpond.engine.simulation.Rows.Beat;
import dev.millpond.engine.simulation.Rows.Dispatch;
import dev.millpond.engine.simulation.Rows.Job;
import dev.millpond.engine.simulation.Rows.KeyRow;
import dev.millpond.engine.simulation.Rows.Lease;
import dev.millpond.engine.simulation.Rows.Outcome;
import dev.millpond.engine.simulation.Rows.State;
import dev.millpond.engine.simulation.Table.Mode;
import dev.millpond.engine.simulation.Work.Said;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** The model's PostgreSQL: the tables of the protocol, and the transactions that are open. */
final class Pg {
  final Table<Job> job = new Table<>("job");
  final Table<Outcome> outcome = new Table<>("job_outcome");
  final Table<State> state = new Table<>("job_state");
  final Table<Dispatch> dispatch = new Table<>("dispatch");
  final Table<Boolean> deadLetter = new Table<>("dead_letter");
  final Table<Beat> session = new Table<>("worker");
  final Table<Lease> leader = new Table<>("leader");
  final Table<Boolean> marker = new Table<>("flush_marker");
  final Table<KeyRow> key = new Table<>("idempotency_key");
  final Table<Long> notice = new Table<>("cancel_notice");

  long startedAt;
  private final World world;
  private final List<Work> open = new ArrayList<>();

  /** Claims that the disk may not know yet, with the row before them. */
  private final Map<Long, Dispatch> lazyClaims = new HashMap<>();

  private long lazySince;

  Pg(World world) {
    this.world = world;
  }

  void open(Work work) {
    open.add(work);
    world.tasks.add(work);
    work.readyAt = world.now + world.latency();
  }

  void commit(Work work) {
    TreeSet<Integer> touched = new TreeSet<>();
    List<Integer> keys = new ArrayList<>(0);
    for (Tx.Write<?> write : work.tx.written) {
      touch(write, touched);
      if (write.table() == dispatch) {
        lazily(work, write);
      }
      if (write.table() == key) {
        keys.add((int) write.row().key);
      }
    }
    work.tx.commit();
    keys.forEach(world.checks::keyCommitted);
    open.remove(work);
    world.trace.tx(work.tx.name, touched);
    world.checks.committed(work.tx.name, touched);
  }

  private void lazily(Work work, Tx.Write<?> write) {
    if (world.now - lazySince > World.LAZY) {
      lazyClaims.clear();
      lazySince = world.now;
    }
    if (work.lazy && write.before() instanceof Dispatch before) {
      lazyClaims.put((long) before.batch().id(), before);
    } else if (!work.lazy) {
      lazyClaims.clear(); // its log was flushed up to here
    }
  }

  private static void touch(Tx.Write<?> write, Collection<Integer> touched) {
    if (write.table().name.equals("worker")
        || write.table().name.equals("leader")
        || write.table().name.equals("idempotency_key")
        || write.table().name.equals("flush_marker")) {
      return;
    }
    for (Object version : new Object[] {write.before(), write.after()}) {
      if (version instanceof Dispatch row) {
        for (int id : row.batch().jobs()) {
          touched.add(id);
        }
      }
    }
    if (!write.table().name.equals("dispatch")) {
      touched.add((int) write.row().key);
    }
  }

  void abort(Work work) {
    work.tx.abort();
    open.remove(work);
  }

  /** The process is gone, and its connections with it. */
  void clientGone(Node node) {
    for (Work work : List.copyOf(open)) {
      if (work.isOf(node)) {
        work.hang();
      }
    }
  }

  /** An immediate stop: open transactions are undone, claims of the last moment may be as well. */
  void crash() {
    for (Work work : List.copyOf(open)) {
      work.lose();
    }
    lazyClaims.forEach((id, before) -> {
      Table.Row<Dispatch> row = dispatch.rows.get(id);
      if (row != null && row.committed != null && world.random.nextBoolean()) {
        row.committed = before;
        world.trace.add("the claim of " + before.batch() + " is forgotten");
      }
    });
    lazyClaims.clear();
    startedAt = world.now;
  }

  /** Locks the state rows of jobs that a statement's snapshot sees. */
  Said lockStates(Tx tx, List<Long> seen) {
    for (long id : seen) {
      if (!state.lock(tx, id, Mode.UPDATE)) {
        return Said.BLOCKED;
      }
    }
    return Said.DONE;
  }

  /** Those of the jobs that have a state row now: what a statement that begins here will lock. */
  List<Long> withState(Tx tx, Collection<Integer> jobs) {
    List<Long> seen = new ArrayList<>();
    for (int id : new TreeSet<>(jobs)) {
      if (state.read(tx, id) != null) {
        seen.add((long) id);
      }
    }
    return seen;
  }

  /**
   * Inserts a waiting row; its id is new.
   *
   * @param by who chooses its shard
   * @param jobs of one lane and kind
   */
  void insertWaiting(Tx tx, Node by, int[] jobs, int[] tokens) {
    insertWaiting(tx, by, jobs, tokens, false);
  }

  /**
   * The same.
   *
   * @param direct whether it is meant for no stream
   */
  void insertWaiting(Tx tx, Node by, int[] jobs, int[] tokens, boolean direct) {
    Job first = job(tx, jobs[0]);
    int id = world.nextBatch();
    Batch batch = new Batch(id, first.lane(), first.kind(), jobs, tokens);
    dispatch.insert(tx, id, Dispatch.waiting(batch, by.shard(batch), direct));
  }

  /** What was asked of a job that is there. */
  Job job(Tx tx, int id) {
    Job there = job.read(tx, id);
    if (there == null) {
      throw new IllegalStateException("no job " + id);
    }
    return there;
  }

  /** Token of a live job, as a transaction sees it. */
  static int token(@org.jspecify.annotations.Nullable State state) {
    return state == null ? 1 : state.token();
  }
}
