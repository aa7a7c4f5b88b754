package dev.millpond.engine.flush.store;

import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.flush.BatchFormer;
import dev.millpond.engine.flush.HotWork;
import dev.millpond.engine.flush.NewJob;
import dev.millpond.engine.flush.Portion;
import dev.millpond.engine.flush.Portion.Written;
import dev.millpond.engine.flush.SubmitWork;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;

/** The hot lane: submits without keys, and batches whose first attempts all succeeded. */
public final class HotLane extends GroupCommit<HotWork, HotLane.Flush> {
  /** More rows in a flush give no more rate and a worse tail. */
  private static final int ROWS_MAX = 2_000;

  private final BatchFormer former;
  private final Predicate<Batch> sends;
  private final Supplier<UUID> session;
  private final Consumer<Flush> committed;
  private final BiConsumer<HotWork, SQLException> rejected;

  /** A flush, and what became of it. */
  public static final class Flush {
    private final List<SubmitWork> submits;
    private final List<Portion> portions;
    private final List<Batch> toSend;
    private final HotFlush statements;
    private Set<UUID> stale = Set.of();
    private long nanos;

    Flush(
        List<SubmitWork> submits, List<Portion> portions, List<Batch> toSend, HotFlush statements) {
      this.submits = submits;
      this.portions = portions;
      this.toSend = toSend;
      this.statements = statements;
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
      return toSend.size() < statements.batches();
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
   * @param sends whether this node will put a batch on its stream after the commit
   * @param committed told of each committed flush
   * @param rejected told of work that the database refuses for good
   */
  public HotLane(
      WriterConnection connection,
      BatchFormer former,
      Predicate<Batch> sends,
      Supplier<UUID> session,
      Consumer<Flush> committed,
      BiConsumer<HotWork, SQLException> rejected) {
    super("millpond-hot-lane", connection);
    this.former = former;
    this.sends = sends;
    this.session = session;
    this.committed = committed;
    this.rejected = rejected;
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
    List<Batch> batches = former.form(jobs);
    boolean[] sent = new boolean[batches.size()];
    List<Batch> toSend = new ArrayList<>(sent.length);
    for (int i = 0; i < sent.length; i++) {
      sent[i] = sends.test(batches.get(i));
      if (sent[i]) {
        toSend.add(batches.get(i));
      }
    }
    return new Flush(
        submits, portions, toSend, new HotFlush(jobs, batches, sent, portions, session.get()));
  }

  @Override
  void send(WriterConnection connection, Flush flush, boolean careful) throws SQLException {
    flush.statements.run(connection, careful);
    if (careful) {
      readStale(connection, flush);
    }
  }

  /**
   * Reads which outcomes are not ours. The flush is committed by now; if the connection is lost
   * here it is sent again, violates its marker, and is read by {@link #recover}.
   */
  private void readStale(WriterConnection connection, Flush flush) throws SQLException {
    flush.stale = flush.statements.stale(connection);
  }

  @Override
  void recover(WriterConnection connection, Flush flush) throws SQLException {
    readStale(connection, flush);
  }

  @Override
  void committed(Flush flush, long nanos) {
    flush.nanos = nanos;
    committed.accept(flush);
  }

  @Override
  void rejected(HotWork work, SQLException cause) {
    rejected.accept(work, cause);
  }
}
