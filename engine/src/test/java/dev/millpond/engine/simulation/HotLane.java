package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.Portion.End;
import dev.millpond.engine.simulation.Rows.Batch;
import dev.millpond.engine.simulation.Rows.Dispatch;
import dev.millpond.engine.simulation.Rows.Job;
import dev.millpond.engine.simulation.Rows.Outcome;
import dev.millpond.engine.simulation.Rows.Phase;
import dev.millpond.engine.simulation.Rows.State;
import dev.millpond.engine.simulation.Table.Mode;
import dev.millpond.engine.simulation.Work.Answer;
import dev.millpond.engine.simulation.Work.Said;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Submits, and ends of first attempts: one string of statements, one commit (R2, R3). */
final class HotLane extends Lane<HotLane.Piece, HotLane.Flush> {
  /** A piece of a flush. */
  sealed interface Piece {
    /** New jobs; {@code told} hears whether they were accepted. */
    record Submit(List<Job> jobs, Consumer<Boolean> told) implements Piece {}

    record Finish(Portion portion) implements Piece {}
  }

  private static final int BATCH_MAX = 4;

  /** A flush, formed once and sent until it is decided. */
  static final class Flush {
    final List<Piece.Submit> submits = new ArrayList<>();
    final List<Portion> portions = new ArrayList<>();
    final List<Job> jobs = new ArrayList<>();
    final List<Dispatch> rows = new ArrayList<>();
    final List<Batch> toSend = new ArrayList<>();
    final List<Batch> kept = new ArrayList<>();
    int session;
  }

  HotLane(Node node) {
    super(node);
  }

  @Override
  Flush form(List<Piece> chosen) {
    Flush flush = new Flush();
    for (Piece piece : chosen) {
      switch (piece) {
        case Piece.Submit submit -> {
          flush.submits.add(submit);
          flush.jobs.addAll(submit.jobs());
        }
        case Piece.Finish finish -> flush.portions.add(finish.portion());
      }
    }
    flush.session = node.session; // before the worker is asked: a later one never keeps for it
    List<Job> now = flush.jobs.stream().filter(job -> !job.delayed()).toList();
    for (int from = 0; from < now.size(); ) {
      int size = Math.min(now.size() - from, 1 + world.random.nextInt(BATCH_MAX));
      route(flush, now.subList(from, from + size));
      from += size;
    }
    return flush;
  }

  /** R2: marked as sent only if this node will XADD it. ADR 15: as claimed if it keeps it. */
  private void route(Flush flush, List<Job> jobs) {
    int[] tokens = new int[jobs.size()];
    java.util.Arrays.fill(tokens, 1);
    Batch batch = new Batch(world.nextBatch(), jobs.stream().mapToInt(Job::id).toArray(), tokens);
    Dispatch row = Dispatch.waiting(batch);
    if (node.worker != null && node.worker.reserve()) {
      flush.kept.add(batch);
      if (!world.has(Bug.KEPT_WITHOUT_SESSION)) {
        row = row.claimed(flush.session, world.now);
      }
    } else if (world.scenario.streams() && world.random.nextInt(4) > 0) {
      flush.toSend.add(batch);
      row = row.sent(world.now);
    }
    flush.rows.add(row);
  }

  @Override
  Work make(Flush flush, boolean careful, Consumer<Answer> told) {
    Work work = Work.asOne(world, node, name(flush), told).then(this::mark);
    if (!flush.jobs.isEmpty()) {
      work.then(tx -> insertJobs(tx, flush.jobs)).then(tx -> insertRows(tx, flush.rows));
    }
    for (boolean last : new boolean[] {true, false}) {
      List<Portion> portions = flush.portions.stream().filter(p -> p.last() == last).toList();
      if (!portions.isEmpty()) {
        Gates gates = new Gates(portions, last, careful, flush.session);
        work.then(gates::pass).then(gates::insertOutcomes);
      }
    }
    return work;
  }

  private String name(Flush flush) {
    return "hot flush of " + node.name + "/s" + flush.session;
  }

  private Said insertJobs(Tx tx, List<Job> jobs) {
    for (Job job : jobs) {
      if (world.pg.job.insert(tx, job.id(), job) != Table.Insert.DONE) {
        return Said.UNIQUE;
      }
      if (job.delayed()) {
        long runAt = world.now + world.random.nextInt(800);
        world.pg.state.insert(tx, job.id(), State.resting(Phase.SCHEDULED, 1, 1, 0, runAt));
      }
    }
    return Said.DONE;
  }

  private Said insertRows(Tx tx, List<Dispatch> rows) {
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

  /** R3: the gates of some portions, and the outcomes behind them. */
  private final class Gates {
    private final List<Portion> portions;
    private final boolean last;
    private final boolean careful;
    private final int session;
    private final Set<Integer> open = new HashSet<>();
    private @Nullable Set<Integer> moved;

    Gates(List<Portion> portions, boolean last, boolean careful, int session) {
      this.portions = portions;
      this.last = last;
      this.careful = careful;
      this.session = session;
    }

    /** Deletes the row of a batch that is over, or locks that of one of which a part is written. */
    Said pass(Tx tx) {
      if (moved == null && world.has(Bug.HOT_CHECK_WITH_THE_LOCK)) {
        moved = movedOn(tx);
      }
      for (Portion portion : portions) {
        int id = id(portion);
        if (open.contains(id)) {
          continue; // passed before this statement met a lock
        }
        if (!world.pg.dispatch.lock(tx, id, last ? Mode.UPDATE : Mode.KEY_SHARE)) {
          return Said.BLOCKED;
        }
        Dispatch row = world.pg.dispatch.read(tx, id);
        boolean passes = row != null && (row.claimedBy() == 0 || row.claimedBy() == session);
        if (passes && last) {
          world.pg.dispatch.write(tx, id, null);
        }
        if (passes || !portion.gated() || world.has(Bug.NO_HOLDER_GATE)) {
          open.add(id);
        } else if (!careful) {
          return Said.UNIQUE;
        }
      }
      return Said.DONE;
    }

    /** Jobs that have moved on to a later token: read after the gates are held (R1). */
    private Set<Integer> movedOn(Tx tx) {
      Set<Integer> found = new HashSet<>();
      for (Portion portion : portions) {
        for (End end : portion.ends()) {
          boolean fenced = portion.gated() && !world.has(Bug.NO_HOLDER_GATE);
          if (fenced && Pg.token(world.pg.state.read(tx, end.job())) != 1) {
            found.add(end.job());
          }
        }
      }
      return found;
    }

    Said insertOutcomes(Tx tx) {
      Set<Integer> fenced = moved == null ? movedOn(tx) : moved;
      moved = fenced;
      for (Portion portion : portions) {
        for (End end : portion.ends()) {
          if (fenced.contains(end.job()) || !open.contains(id(portion))) {
            if (!careful) {
              return Said.UNIQUE;
            }
            continue;
          }
          Outcome outcome = new Outcome(true, 1, session);
          Outcome there = world.pg.outcome.read(tx, end.job());
          if (outcome.equals(there) && written.contains(end.job())) {
            continue; // this statement's own, from before it met a lock
          }
          Table.Insert insert = world.pg.outcome.insert(tx, end.job(), outcome);
          switch (insert) {
            case DONE -> written.add(end.job());
            case BLOCKED -> {
              return Said.BLOCKED;
            }
            case EXISTS -> {
              if (!careful) {
                return Said.UNIQUE;
              }
            }
          }
        }
      }
      return Said.DONE;
    }

    private final Set<Integer> written = new HashSet<>();

    private static int id(Portion portion) {
      Batch batch = portion.batch();
      if (batch == null) {
        throw new IllegalStateException("a plain portion has a batch");
      }
      return batch.id();
    }
  }

  @Override
  void committed(Flush flush, long millis, boolean recovered, boolean careful) {
    if (!flush.kept.isEmpty() && node.worker != null) {
      node.worker.keep(flush.kept, flush.session, millis);
    }
    flush.toSend.forEach(batch -> node.sender.add(batch, world.now - millis));
    Set<Integer> stale = new TreeSet<>();
    for (Portion portion : flush.portions) {
      for (End end : portion.ends()) {
        Outcome outcome = world.pg.outcome.committed(end.job());
        boolean mine =
            outcome != null && outcome.session() == flush.session && outcome.token() == 1;
        if ((recovered || careful) && !mine) {
          stale.add(end.job());
        }
      }
    }
    world.later(
        node,
        world.latency(),
        () -> {
          flush.submits.forEach(submit -> submit.told().accept(true));
          flush.portions.forEach(
              portion -> portion.then().accept(new Portion.Written(false, stale)));
        });
  }

  @Override
  void dropped(Flush flush) {
    if (node.worker != null) {
      node.worker.release(flush.kept.size());
    }
    flush.kept.clear();
  }

  @Override
  void rejected(Piece piece, Answer why) {
    switch (piece) {
      case Piece.Submit submit -> submit.told().accept(false);
      case Piece.Finish finish -> node.refused(finish.portion(), why);
    }
  }
}
