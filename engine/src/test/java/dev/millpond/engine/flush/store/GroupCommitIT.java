package dev.millpond.engine.flush.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.engine.Database;
import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.BatchMaker.Member;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.flush.HotWork;
import dev.millpond.engine.flush.NewJob;
import dev.millpond.engine.flush.Portion;
import dev.millpond.engine.flush.Portion.Success;
import dev.millpond.engine.flush.Routed;
import dev.millpond.engine.flush.Routed.Route;
import dev.millpond.engine.flush.SubmitWork;
import dev.millpond.engine.submit.JobIds;
import java.sql.SQLException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What becomes of a flush whose commit is known, and of which the rest is still to be read. */
class GroupCommitIT {
  private static final Lane LANE = new Lane("default", "normal");
  private static final UUID SESSION = UUID.randomUUID();
  private static final String NAME = "read-back-it";

  private final JobIds ids = new JobIds(InstantSource.system());
  private final BatchMaker maker = new BatchMaker(ids, 1);

  /** A hot lane without its worker, which loses its connection after each careful commit. */
  private final class CutLane extends GroupCommit<HotWork, HotFlush> {
    private final Database database;
    private final List<Set<UUID>> committed = new ArrayList<>();
    private final List<HotWork> rejected = new ArrayList<>();
    private boolean cut;
    private Set<UUID> stale = Set.of();

    CutLane(Database database) {
      super(NAME, new WriterConnection(database.url(), NAME));
      this.database = database;
    }

    @Override
    int weight(HotWork work) {
      return work.weight();
    }

    @Override
    boolean queued(HotWork work) {
      return false;
    }

    @Override
    int rows(HotWork work) {
      return work.rows();
    }

    @Override
    int rowsMax() {
      return 100;
    }

    @Override
    boolean wanted(HotWork work) {
      return true;
    }

    @Override
    HotFlush form(List<HotWork> group) {
      List<NewJob> jobs = new ArrayList<>();
      List<Portion> portions = new ArrayList<>();
      for (HotWork work : group) {
        switch (work) {
          case HotWork.Submit submit -> jobs.addAll(submit.work().jobs());
          case HotWork.Finish finish -> portions.add(finish.portion());
        }
      }
      List<Routed> batches =
          jobs.isEmpty() ? List.of() : List.of(new Routed(batch(jobs), Route.WAITS));
      return new HotFlush(jobs, batches, portions, SESSION);
    }

    @Override
    void send(WriterConnection connection, HotFlush flush, boolean careful) throws SQLException {
      flush.run(connection, careful);
    }

    @Override
    boolean readsBack() {
      return true;
    }

    @Override
    void recover(WriterConnection connection, HotFlush flush) throws SQLException {
      if (!cut) {
        cut = true;
        assertThat(database.terminate(NAME)).isEqualTo(1);
      }
      stale = flush.stale(connection);
    }

    @Override
    void committed(HotFlush flush, long nanos) {
      committed.add(stale);
    }

    @Override
    void rejected(HotWork work, SQLException cause) {
      rejected.add(work);
    }

    @Override
    void abandoned(HotWork work, boolean begun) {
      rejected.add(work);
    }
  }

  @Test
  void aCarefulFlushWhoseReadBackIsCutOffIsCommittedOnce() {
    try (Database database = Database.fresh()) {
      CutLane lane = new CutLane(database);
      List<NewJob> accepted = List.of(job(), job());
      Batch gone = batch(List.of(job()));
      lane.put(new HotWork.Submit(new SubmitWork(accepted)));
      lane.put(new HotWork.Finish(finish(gone)));
      lane.start();
      lane.close();

      assertThat(lane.cut).isTrue();
      assertThat(lane.rejected).isEmpty();
      assertThat(lane.committed).containsExactly(Set.of(gone.jobIds()));
      assertThat(database.number("SELECT count(*) FROM millpond.job")).isEqualTo(accepted.size());
      assertThat(database.number("SELECT count(*) FROM millpond.flush_marker")).isEqualTo(1);
      assertThat(database.depth()).isEqualTo(accepted.size());
    }
  }

  private NewJob job() {
    return new NewJob(ids.get(), LANE.queue(), LANE.priorityClass(), "noop", "1", null, NewJob.NOW);
  }

  private Batch batch(List<NewJob> jobs) {
    return maker.make(LANE, "noop", jobs.stream().map(job -> new Member(job.id(), 1)).toList());
  }

  private static Portion finish(Batch batch) {
    return new Portion(
        LANE,
        "noop",
        batch,
        true,
        List.of(new Success(batch.jobIds()[0], 1, false, 1, 0, null, 0, 1)),
        List.of(),
        List.of(),
        false,
        List.of(),
        false,
        (p, w) -> {});
  }
}
