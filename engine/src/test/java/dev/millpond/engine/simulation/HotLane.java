package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.Portion.End;
import dev.millpond.engine.simulation.Rows.Batch;
import dev.millpond.engine.simulation.Rows.Dispatch;
import dev.millpond.engine.simulation.Rows.Job;
import dev.millpond.engine.simulation.Rows.Outcome;
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

  /** A flush, formed once and sent until it is decided. */
  static final class Flush {
    final List<Piece.Submit> submits = new ArrayList<>();
    final List<Portion> portions = new ArrayList<>();
    final int session;
    final NewJobs jobs;

    Flush(Node node, List<Piece> chosen) {
      this.session = node.session; // before the worker is asked: a later one never keeps for it
      List<Job> all = new ArrayList<>();
      for (Piece piece : chosen) {
        switch (piece) {
          case Piece.Submit submit -> {
            submits.add(submit);
            all.addAll(submit.jobs());
          }
          case Piece.Finish finish -> portions.add(finish.portion());
        }
      }
      this.jobs = new NewJobs(node, session, all);
    }
  }

  HotLane(Node node) {
    super(node);
  }

  @Override
  Flush form(List<Piece> chosen) {
    return new Flush(node, chosen);
  }

  @Override
  Work make(Flush flush, boolean careful, Consumer<Answer> told) {
    Work work = Work.asOne(world, node, name(flush), told).then(this::mark);
    if (!flush.jobs.isEmpty()) {
      work.then(flush.jobs::insertJobs).then(flush.jobs::insertRows);
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
    flush.jobs.committed(millis);
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
    flush.jobs.dropped();
  }

  @Override
  void rejected(Piece piece, Answer why) {
    switch (piece) {
      case Piece.Submit submit -> submit.told().accept(false);
      case Piece.Finish finish -> node.refused(finish.portion(), why);
    }
  }
}
