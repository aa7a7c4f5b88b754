package dev.millpond.engine.flush.store;

import dev.millpond.engine.admission.Admission;
import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.flush.BatchFormer;
import dev.millpond.engine.flush.HotWork;
import dev.millpond.engine.flush.LocalWorker;
import dev.millpond.engine.flush.LocalWorker.Kept;
import dev.millpond.engine.flush.NewJob;
import dev.millpond.engine.flush.Portion;
import dev.millpond.engine.flush.Portion.Written;
import dev.millpond.engine.flush.Routed;
import dev.millpond.engine.flush.Routed.Route;
import dev.millpond.engine.flush.SubmitWork;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;

/** The hot lane: submits without keys, and batches whose first attempts all succeeded. */
public final class HotLane extends GroupCommit<HotWork, HotLane.Flush> {
  /** More rows in a flush give no more rate and a worse tail. */
  private static final int ROWS_MAX = 2_000;

  /**
   * A flush that is still not written after this time leaves its batches to whoever comes: nobody
   * sends or keeps them any more, however long the settle time, and the session that was to keep
   * them may be fenced.
   */
  private static final long LATE_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final BatchFormer former;
  private final Predicate<Batch> sends;
  private final Supplier<LocalWorker> local;
  private final Supplier<UUID> session;
  private final Consumer<Flush> committed;
  private final BiConsumer<HotWork, SQLException> rejected;
  private final LaneGates gates;

  /** A flush, and what became of it. */
  public static final class Flush {
    private final List<SubmitWork> submits;
    private final List<Portion> portions;
    private final List<NewJob> jobs;
    private List<Batch> toSend;
    private final UUID session;
    private final List<Routed> batches;
    private HotFlush statements;
    private boolean leavesWaiting;
    private long firstSentNanos;
    private boolean left;
    private boolean uncertain;
    private List<Batch> kept;
    private Set<UUID> stale = Set.of();
    private long nanos;

    Flush(
        List<SubmitWork> submits,
        List<Portion> portions,
        List<NewJob> jobs,
        List<Routed> batches,
        UUID session) {
      this.submits = submits;
      this.portions = portions;
      this.jobs = jobs;
      this.batches = batches;
      this.toSend = of(batches, Route.SENT);
      this.kept = of(batches, Route.KEPT);
      this.leavesWaiting = toSend.size() + kept.size() < batches.size();
      this.session = session;
      this.statements = new HotFlush(jobs, batches, portions, session);
    }

    /** Notes a sending; one that comes late has all batches wait in the table. */
    private void sending() {
      long now = System.nanoTime();
      if (firstSentNanos == 0) {
        firstSentNanos = now;
      } else if (!left && !batches.isEmpty() && now - firstSentNanos > LATE_NANOS) {
        left = true;
        leavesWaiting = true;
        List<Routed> waiting =
            batches.stream().map(b -> new Routed(b.batch(), Route.WAITS)).toList();
        statements = new HotFlush(jobs, waiting, portions, session);
      }
    }

    private static List<Batch> of(List<Routed> batches, Route route) {
      List<Batch> of = new ArrayList<>(batches.size());
      for (Routed routed : batches) {
        if (routed.route() == route) {
          of.add(routed.batch());
        }
      }
      return of;
    }

    public List<SubmitWork> submits() {
      return submits;
    }

    public List<Portion> portions() {
      return portions;
    }

    /** Time from its first sending to the commit. */
    public long nanos() {
      return nanos;
    }

    /** Rows of jobs and outcomes in it. */
    public int rows() {
      int rows = statements.asked();
      for (SubmitWork submit : submits) {
        rows += submit.jobs().size();
      }
      return rows;
    }

    /** Whether some of its batches wait in the table. */
    public boolean leavesWaiting() {
      return leavesWaiting;
    }

    /** Batches that this node promised to put on their streams. */
    public List<Batch> toSend() {
      return toSend;
    }

    /** What became of one of its portions. */
    public Written written(Portion portion) {
      if (stale.isEmpty()) {
        return new Written(false, Set.of());
      }
      Set<UUID> lost = new HashSet<>();
      portion.ends().forEach(end -> lost.add(end.jobId()));
      lost.retainAll(stale);
      // Whether the row itself was gone is not known here, and does not follow from stale ends.
      return new Written(false, lost);
    }
  }

  /**
   * @param local whoever keeps batches, those that it can
   * @param sends whether this node will put another batch on its stream after the commit
   * @param committed told of each committed flush
   * @param rejected told of work that the database refuses for good
   */
  public HotLane(
      WriterConnection connection,
      BatchFormer former,
      Supplier<LocalWorker> local,
      Predicate<Batch> sends,
      Supplier<UUID> session,
      Consumer<Flush> committed,
      BiConsumer<HotWork, SQLException> rejected) {
    super("millpond-hot-lane", connection);
    this.former = former;
    this.local = local;
    this.sends = sends;
    this.session = session;
    this.committed = committed;
    this.rejected = rejected;
    this.gates = new LaneGates(connection);
  }

  @Override
  int weight(HotWork work) {
    return work.weight();
  }

  @Override
  boolean queued(HotWork work) {
    return work instanceof HotWork.Submit;
  }

  @Override
  int rows(HotWork work) {
    return work.rows();
  }

  @Override
  int rowsMax() {
    return ROWS_MAX;
  }

  /** Asks gates from now on; to be called before it is started. */
  public void ask(Admission admission) {
    gates.ask(admission);
  }

  @Override
  boolean admitted(HotWork work) {
    return !(work instanceof HotWork.Submit submit) || gates.admit(submit.ticket());
  }

  @Override
  void admittedAreDecided() {
    gates.decided();
  }

  @Override
  boolean wanted(HotWork work) {
    return switch (work) {
      case HotWork.Submit submit -> submit.work().take();
      case HotWork.Finish ignored -> true;
    };
  }

  @Override
  Flush form(List<HotWork> group) {
    List<SubmitWork> submits = new ArrayList<>();
    List<Portion> portions = new ArrayList<>();
    List<NewJob> jobs = new ArrayList<>();
    for (HotWork work : group) {
      switch (work) {
        case HotWork.Submit submit -> {
          submits.add(submit.work());
          jobs.addAll(submit.work().jobs());
        }
        case HotWork.Finish finish -> portions.add(finish.portion());
      }
    }
    UUID mine = session.get(); // before the worker is asked: a later one never keeps for it
    List<Routed> batches = new ArrayList<>();
    int reserved = 0;
    boolean formed = false;
    try {
      for (Batch batch : former.form(jobs)) {
        boolean kept = local.get().reserve(batch);
        reserved += kept ? 1 : 0;
        Route route = kept ? Route.KEPT : sends.test(batch) ? Route.SENT : Route.WAITS;
        batches.add(new Routed(batch, route));
      }
      Flush flush = new Flush(submits, portions, jobs, batches, mine);
      formed = true;
      return flush;
    } finally {
      if (!formed) {
        local.get().release(reserved);
      }
    }
  }

  @Override
  void send(WriterConnection connection, Flush flush, boolean careful) throws SQLException {
    flush.sending();
    flush.statements.run(connection, careful);
  }

  @Override
  void uncertain(Flush flush) {
    flush.uncertain = true;
  }

  @Override
  boolean readsBack() {
    return true;
  }

  /** Reads which outcomes are not ours. */
  @Override
  void recover(WriterConnection connection, Flush flush) throws SQLException {
    flush.stale = flush.statements.stale(connection);
  }

  @Override
  void committed(Flush flush, long nanos) {
    flush.nanos = nanos;
    if (flush.left) {
      flush.toSend = List.of();
      if (!flush.uncertain) {
        dropped(flush);
      }
    }
    if (!flush.kept.isEmpty()) {
      List<Batch> kept = flush.kept;
      flush.kept = List.of();
      // Which of its sendings was committed is not known: the worker only gives them back.
      long age = flush.left ? Long.MAX_VALUE : nanos;
      local.get().keep(new Kept(kept, flush.jobs, flush.session, age));
    }
    committed.accept(flush);
  }

  @Override
  void dropped(Flush flush) {
    local.get().release(flush.kept.size());
    flush.kept = List.of();
  }

  @Override
  void rejected(HotWork work, SQLException cause) {
    rejected.accept(work, cause);
  }

  /** The jobs of a portion are rescued once the session is silent. */
  @Override
  void abandoned(HotWork work, boolean begun) {
    switch (work) {
      case HotWork.Submit submit -> submit.work().abandon();
      case HotWork.Finish ignored -> {}
    }
  }
}
