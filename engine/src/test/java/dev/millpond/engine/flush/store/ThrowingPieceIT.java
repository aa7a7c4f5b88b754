package dev.millpond.engine.flush.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millpond.api.UnavailableException;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.BatchMaker.Member;
import dev.millpond.engine.dispatch.KindPace;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.flush.BatchFormer;
import dev.millpond.engine.flush.HotWork;
import dev.millpond.engine.flush.LocalWorker;
import dev.millpond.engine.flush.NewJob;
import dev.millpond.engine.flush.Portion;
import dev.millpond.engine.flush.Portion.Returned;
import dev.millpond.engine.flush.SubmitWork;
import dev.millpond.engine.submit.JobIds;
import java.sql.SQLException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A mistake of our own in the middle of a flush: every piece of it is decided all the same. */
class ThrowingPieceIT {
  private static final Lane LANE = new Lane("default", "normal");
  private static final String BAD = "bad";

  private static Database database;

  private final JobIds ids = new JobIds(InstantSource.system());
  private final BatchMaker maker = new BatchMaker(ids, 1);
  private final List<HotWork> rejected = new ArrayList<>();
  private final AtomicBoolean throwsAfterCommit = new AtomicBoolean();
  private int rooms;
  private HotLane lane;

  @BeforeAll
  static void open() {
    database = Database.fresh();
  }

  @AfterAll
  static void shut() {
    database.close();
  }

  @BeforeEach
  void make() {
    database.empty();
    lane =
        new HotLane(
            new WriterConnection(database.url(), "throwing-piece-it"),
            new BatchFormer(maker, new KindPace()),
            () -> new Room(),
            this::sends,
            ids,
            this::committed,
            this::reject);
  }

  @AfterEach
  void stop() {
    lane.close();
    assertThat(rooms).as("rooms for batches that were not kept").isZero();
    Fleet.assertBooksClean(database);
  }

  /** Keeps nothing for long: what was kept is given back at once. */
  private final class Room implements LocalWorker {
    @Override
    public boolean reserve(Batch batch) {
      boolean mine = batch.kind().equals("kept");
      rooms += mine ? 1 : 0;
      return mine;
    }

    @Override
    public void keep(Kept kept) {
      rooms -= kept.batches().size();
      database.update("UPDATE millpond.dispatch SET claimed_by = NULL, claimed_at = NULL");
    }

    @Override
    public void release(int batches) {
      rooms -= batches;
    }
  }

  private boolean sends(Batch batch) {
    if (batch.kind().equals(BAD)) {
      throw new IllegalStateException("planted: no way for " + batch);
    }
    return false;
  }

  private void committed(HotLane.Flush flush) {
    if (throwsAfterCommit.get()) {
      throw new IllegalStateException("planted: after the commit");
    }
    flush.submits().forEach(submit -> submit.done().complete(null));
  }

  private void reject(HotWork work, SQLException cause) {
    rejected.add(work);
    if (work instanceof HotWork.Submit submit) {
      submit.work().done().completeExceptionally(cause);
    }
  }

  private SubmitWork submit(String kind) throws InterruptedException {
    NewJob job =
        new NewJob(ids.get(), LANE.queue(), LANE.priorityClass(), kind, "1", null, NewJob.NOW);
    SubmitWork work = new SubmitWork(List.of(job));
    assertThat(lane.offer(new HotWork.Submit(work), 0)).isTrue();
    return work;
  }

  /** A flush of the hot lane takes it for a success, which it is not. */
  private HotWork notPlain() {
    Batch batch = maker.make(LANE, "noop", List.of(new Member(ids.get(), 1)));
    return new HotWork.Finish(
        new Portion(
            LANE,
            "noop",
            batch,
            true,
            List.of(new Returned(batch.jobIds()[0], 1, false, 1, 1)),
            List.of(),
            List.of(),
            false,
            List.of(),
            false,
            (portion, written) -> {}));
  }

  @Test
  void whatCannotBeFormedIsRefusedAloneAndItsNeighboursAreCommitted() throws Exception {
    SubmitWork before = submit("kept");
    SubmitWork bad = submit(BAD);
    SubmitWork after = submit("noop");
    lane.start();
    before.done().get(10, TimeUnit.SECONDS);
    after.done().get(10, TimeUnit.SECONDS);
    assertThatThrownBy(() -> bad.done().get(10, TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class)
        .hasCauseInstanceOf(SQLException.class)
        .hasMessageContaining("planted");
    assertThat(rejected).hasSize(1);
    assertThat(database.number("SELECT count(*) FROM millpond.job")).isEqualTo(2);
  }

  @Test
  void whatCannotBeSentIsRefusedAloneAndItsNeighboursAreCommittedOnce() throws Exception {
    HotWork bad = notPlain();
    SubmitWork before = submit("kept");
    lane.put(bad);
    SubmitWork after = submit("noop");
    lane.start();
    before.done().get(10, TimeUnit.SECONDS);
    after.done().get(10, TimeUnit.SECONDS);
    Fleet.until("it is refused", () -> lane.putBytes() == 0);
    assertThat(rejected).containsExactly(bad);
    assertThat(lane.thread().lost()).isFalse();
    assertThat(database.number("SELECT count(*) FROM millpond.job")).isEqualTo(2);
    assertThat(database.depth()).isEqualTo(2);
  }

  @Test
  void whatFailsAfterTheCommitEndsTheLaneAndWhoeverWaitsIsTold() throws Exception {
    throwsAfterCommit.set(true);
    SubmitWork written = submit("noop");
    lane.start();
    assertThatThrownBy(() -> written.done().get(10, TimeUnit.SECONDS))
        .hasCauseInstanceOf(UnavailableException.class)
        .hasMessageContaining("may have been accepted");
    assertThat(lane.thread().lost()).isTrue();
    assertThat(lane.offer(new HotWork.Submit(new SubmitWork(List.of())), 0)).isFalse();
    assertThat(database.number("SELECT count(*) FROM millpond.job")).isEqualTo(1);
  }
}
