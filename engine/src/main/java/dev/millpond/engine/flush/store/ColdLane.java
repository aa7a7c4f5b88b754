package dev.millpond.engine.flush.store;

import dev.millpond.engine.admission.Admission;
import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.store.DepthStore;
import dev.millpond.engine.flush.BatchFormer;
import dev.millpond.engine.flush.ColdWork;
import dev.millpond.engine.flush.KeyedSubmit;
import dev.millpond.engine.flush.KeyedSubmit.Verdict;
import dev.millpond.engine.flush.LocalWorker;
import dev.millpond.engine.flush.LocalWorker.Kept;
import dev.millpond.engine.flush.NewJob;
import dev.millpond.engine.flush.Portion;
import dev.millpond.engine.flush.Portion.Written;
import dev.millpond.engine.flush.Routed;
import dev.millpond.engine.flush.Routed.Route;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The cold lane: everything that has to read before it knows what to write. Retries, dead letters,
 * dissolved batches, tracked jobs, tokens above 1, idempotency keys.
 */
public final class ColdLane extends GroupCommit<ColdWork, ColdLane.Flush> {
  private static final int ROWS_MAX = 1_000;

  private final BatchFormer former;
  private final BatchMaker maker;
  private final Supplier<LocalWorker> local;
  private final Predicate<Batch> sends;
  private final Supplier<UUID> session;
  private final Consumer<Flush> committed;
  private final BiConsumer<ColdWork, SQLException> rejected;
  private final LaneGates gates;

  /** Keys of the flush that is being gathered; asked for by the lane's own thread only. */
  private final Set<String> taken = new HashSet<>();

  /** A flush, and what became of it: kept from before the commit, in case its answer is lost. */
  public static final class Flush {
    private final List<Portion> portions;
    private final List<KeyedSubmit> submits;
    private long nanos;
    private List<Batch> toSend = List.of();
    private @Nullable Kept kept;
    private IdentityHashMap<Portion, Written> written = new IdentityHashMap<>();
    private IdentityHashMap<KeyedSubmit, List<Verdict>> verdicts = new IdentityHashMap<>();

    Flush(List<Portion> portions, List<KeyedSubmit> submits) {
      this.portions = portions;
      this.submits = submits;
    }

    /** Time from its first sending to the commit. */
    public long nanos() {
      return nanos;
    }

    /** Rows it stands for. */
    public int rows() {
      int rows = 0;
      for (Portion portion : portions) {
        rows += portion.rows();
      }
      for (KeyedSubmit submit : submits) {
        rows += submit.items().size();
      }
      return rows;
    }

    public IdentityHashMap<Portion, Written> written() {
      return written;
    }

    /** Batches that this node promised to put on their streams. */
    public List<Batch> toSend() {
      return toSend;
    }

    /** Jobs of keyed submits that are new. */
    public List<NewJob> fresh() {
      List<NewJob> jobs = new ArrayList<>();
      verdicts.forEach((submit, all) -> {
        for (int i = 0; i < all.size(); i++) {
          if (all.get(i) instanceof Verdict.Fresh) {
            jobs.add(submit.items().get(i).job());
          }
        }
      });
      return jobs;
    }

    public IdentityHashMap<KeyedSubmit, List<Verdict>> verdicts() {
      return verdicts;
    }
  }

  /**
   * @param local whoever keeps batches, those that it can
   * @param sends whether this node will put another batch on its stream after the commit
   * @param committed told of each committed flush
   * @param rejected told of work that the database refuses for good
   */
  public ColdLane(
      WriterConnection connection,
      BatchFormer former,
      BatchMaker maker,
      Supplier<LocalWorker> local,
      Predicate<Batch> sends,
      Supplier<UUID> session,
      Consumer<Flush> committed,
      BiConsumer<ColdWork, SQLException> rejected) {
    super("millpond-cold-lane", connection);
    this.former = former;
    this.maker = maker;
    this.local = local;
    this.sends = sends;
    this.session = session;
    this.committed = committed;
    this.rejected = rejected;
    this.gates = new LaneGates(connection);
  }

  @Override
  int weight(ColdWork work) {
    return work.weight();
  }

  @Override
  boolean queued(ColdWork work) {
    return work instanceof ColdWork.Keyed;
  }

  @Override
  int rows(ColdWork work) {
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
  boolean admitted(ColdWork work) {
    return !(work instanceof ColdWork.Keyed keyed) || gates.admit(keyed.ticket(), keyed.submit());
  }

  @Override
  void admittedAreDecided() {
    gates.decided();
  }

  @Override
  boolean wanted(ColdWork work) {
    return !(work instanceof ColdWork.Keyed keyed) || !keyed.submit().done().isDone();
  }

  /**
   * A key may be in one submit of a flush only: the second one waits for the first one's answer.
   */
  @Override
  boolean compatible(List<ColdWork> chosen, ColdWork work) {
    if (!(work instanceof ColdWork.Keyed keyed)) {
      return true;
    }
    if (chosen.size() == 1) {
      taken.clear();
      if (chosen.getFirst() instanceof ColdWork.Keyed first) {
        taken.addAll(names(first.submit()));
      }
    }
    List<String> names = names(keyed.submit());
    if (names.stream().anyMatch(taken::contains)) {
      return false;
    }
    taken.addAll(names);
    return true;
  }

  private static List<String> names(KeyedSubmit submit) {
    return submit.keys().stream().map(key -> key.principal() + "\n" + key.key()).toList();
  }

  @Override
  Flush form(List<ColdWork> group) {
    List<Portion> portions = new ArrayList<>();
    List<KeyedSubmit> submits = new ArrayList<>();
    for (ColdWork work : group) {
      switch (work) {
        case ColdWork.Finish finish -> portions.add(finish.portion());
        case ColdWork.Keyed keyed -> submits.add(keyed.submit());
      }
    }
    return new Flush(portions, submits);
  }

  @Override
  void send(WriterConnection connection, Flush flush, boolean careful) throws SQLException {
    Connection tx = connection.get();
    if (tx.getAutoCommit()) {
      tx.setAutoCommit(false);
    }
    try {
      try (PreparedStatement marker = tx.prepareStatement(WriterConnection.MARKER)) {
        marker.setObject(1, connection.writer());
        marker.setLong(2, connection.seq());
        marker.executeUpdate();
      }
      // Jobs before outcomes, as everywhere (JobTables).
      if (!flush.submits.isEmpty()) {
        flush.verdicts = KeyStore.take(tx, flush.submits);
        insertFresh(tx, flush);
      }
      flush.written = new ColdFlush(flush.portions, session.get(), maker).run(tx);
      tx.commit();
    } catch (SQLException e) {
      rollback(tx, e);
      throw e;
    }
  }

  private static void rollback(Connection tx, SQLException cause) {
    try {
      if (!tx.isClosed()) {
        tx.rollback();
      }
    } catch (SQLException e) {
      cause.addSuppressed(e);
    }
  }

  private void insertFresh(Connection tx, Flush flush) throws SQLException {
    dropped(flush); // of an earlier sending, of which nothing was committed
    List<NewJob> jobs = flush.fresh();
    UUID mine = session.get();
    List<Batch> kept = new ArrayList<>();
    List<Batch> toSend = new ArrayList<>();
    List<Routed> batches = new ArrayList<>();
    for (Batch batch : former.form(jobs)) {
      if (local.get().reserve(batch)) {
        kept.add(batch);
        batches.add(new Routed(batch, Route.KEPT));
      } else if (sends.test(batch)) {
        toSend.add(batch);
        batches.add(new Routed(batch, Route.SENT));
      } else {
        batches.add(new Routed(batch, Route.WAITS));
      }
    }
    flush.kept = kept.isEmpty() ? null : new Kept(kept, jobs, mine, 0);
    flush.toSend = toSend;
    JobRows rows = new JobRows(jobs, batches, mine);
    List<String> statements = rows.statements();
    if (statements.isEmpty()) {
      return;
    }
    try (PreparedStatement statement = tx.prepareStatement(String.join(";\n", statements))) {
      rows.bind(statement, 0);
      statement.execute();
    }
    DepthStore.add(tx, List.copyOf(rows.comes().values()));
  }

  /** Nothing to read: what came through was known before the commit was sent. */
  @Override
  void recover(WriterConnection connection, Flush flush) {}

  @Override
  void committed(Flush flush, long nanos) {
    flush.nanos = nanos;
    Kept kept = flush.kept;
    if (kept != null) {
      flush.kept = null;
      local.get().keep(new Kept(kept.batches(), kept.jobs(), kept.session(), nanos));
    }
    committed.accept(flush);
  }

  @Override
  void dropped(Flush flush) {
    Kept kept = flush.kept;
    if (kept != null) {
      local.get().release(kept.batches().size());
    }
    flush.kept = null;
    flush.toSend = List.of();
  }

  @Override
  void rejected(ColdWork work, SQLException cause) {
    rejected.accept(work, cause);
  }

  /** The jobs of a portion are rescued once the session is silent. */
  @Override
  void abandoned(ColdWork work, boolean begun) {
    switch (work) {
      case ColdWork.Keyed keyed -> keyed.submit().abandon(begun);
      case ColdWork.Finish ignored -> {}
    }
  }
}
