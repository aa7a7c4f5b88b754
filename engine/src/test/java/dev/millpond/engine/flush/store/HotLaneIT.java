package dev.millpond.engine.flush.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.KindPace;
import dev.millpond.engine.flush.BatchFormer;
import dev.millpond.engine.flush.HotWork;
import dev.millpond.engine.flush.LocalWorker;
import dev.millpond.engine.flush.NewJob;
import dev.millpond.engine.flush.SubmitWork;
import dev.millpond.engine.submit.JobIds;
import dev.millpond.faults.Ending;
import dev.millpond.faults.Fault;
import dev.millpond.faults.FaultProxy;
import dev.millpond.faults.Link;
import dev.millpond.faults.Moment;
import dev.millpond.faults.Step;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Which batches of a flush a node still sends and keeps, by when the flush was written. */
class HotLaneIT {
  /** A flush that is written later than a second after its first sending is late. */
  private static final Duration LATE = Duration.ofMillis(1_100);

  private static final UUID SESSION = UUID.randomUUID();
  private static final String KEPT = "kept";
  private static final String SENT = "sent";

  private static Database database;

  private final JobIds ids = new JobIds(InstantSource.system());
  private final BlockingQueue<HotLane.Flush> committed = new LinkedBlockingQueue<>();
  private final Hand hand = new Hand();
  private FaultProxy proxy;
  private HotLane lane;

  /** Keeps batches of one kind, and notes what it is given. */
  private static final class Hand implements LocalWorker {
    private int reserved;
    private final List<Kept> kept = new ArrayList<>();

    @Override
    public boolean reserve(Batch batch) {
      boolean mine = batch.kind().equals(KEPT);
      reserved += mine ? 1 : 0;
      return mine;
    }

    @Override
    public void keep(Kept all) {
      kept.add(all);
      release(all.batches().size());
    }

    @Override
    public void release(int batches) {
      reserved -= batches;
    }
  }

  @BeforeAll
  static void open() {
    database = Database.fresh();
  }

  @AfterAll
  static void shut() {
    database.close();
  }

  @BeforeEach
  void start() {
    database.empty();
    proxy = FaultProxy.postgres(database.url());
    lane =
        new HotLane(
            new WriterConnection(proxy.url(), "hot-lane-it"),
            new BatchFormer(new BatchMaker(ids, 1), new KindPace()),
            () -> hand,
            batch -> batch.kind().equals(SENT),
            () -> SESSION,
            committed::add,
            (work, cause) -> {
              throw new IllegalStateException(work.toString(), cause);
            });
    lane.start();
  }

  @AfterEach
  void stop() {
    lane.close();
    proxy.close();
    assertThat(hand.reserved).isZero();
    Fleet.assertBooksClean(database);
  }

  private void submit() throws InterruptedException {
    List<NewJob> jobs = List.of(job(KEPT), job(SENT));
    assertThat(lane.offer(new HotWork.Submit(new SubmitWork(jobs)), 0)).isTrue();
  }

  private NewJob job(String kind) {
    return new NewJob(ids.get(), "default", "normal", kind, "1", null, NewJob.NOW);
  }

  private HotLane.Flush flushed() throws InterruptedException {
    HotLane.Flush flush = committed.poll(20, TimeUnit.SECONDS);
    assertThat(flush).isNotNull();
    return flush;
  }

  /** Once the lane has seen that the database is away. */
  private void letItBeLate() {
    Fleet.until("away", lane::away);
    long since = System.nanoTime();
    Fleet.until("late", () -> System.nanoTime() - since > LATE.toNanos());
    proxy.refuse(false);
  }

  @Test
  void whatIsWrittenInTimeIsSentAndKept() throws Exception {
    submit();
    assertThat(flushed().toSend()).hasSize(1);
    assertThat(hand.kept).hasSize(1);
    assertThat(hand.kept.getFirst().nanos()).isLessThan(TimeUnit.SECONDS.toNanos(20));
    giveBack();
  }

  @Test
  void whatIsWrittenLateWaitsInTheTableAndIsNeitherSentNorKept() throws Exception {
    proxy.refuse(true);
    submit();
    letItBeLate();
    HotLane.Flush flush = flushed();
    assertThat(flush.toSend()).isEmpty();
    assertThat(flush.leavesWaiting()).isTrue();
    assertThat(hand.kept).isEmpty();
    assertThat(
            database.number(
                "SELECT count(*) FROM millpond.dispatch"
                    + " WHERE sent_at IS NULL AND claimed_by IS NULL"))
        .isEqualTo(2);
  }

  enum Answer {
    OF_THE_FIRST_SENDING,
    OF_A_LATE_SENDING
  }

  /** It cannot know which of its sendings was committed. */
  @ParameterizedTest
  @EnumSource
  void whatMayHaveBeenWrittenLateIsOnlyGivenBack(Answer lost) throws Exception {
    Fault fault = proxy.add(Fault.next(Step.SUBMIT, Moment.UNANSWERED, this::cutOff));
    proxy.refuse(lost == Answer.OF_A_LATE_SENDING);
    submit();
    letItBeLate();
    Fleet.until("the answer is lost", fault::struck);
    proxy.refuse(false);
    assertThat(flushed().toSend()).isEmpty();
    assertThat(hand.kept)
        .singleElement()
        .satisfies(kept -> assertThat(kept.nanos()).isEqualTo(Long.MAX_VALUE));
    giveBack();
  }

  /** As their worker and the reconciler would, which are not there. */
  private static void giveBack() {
    database.update(
        "UPDATE millpond.dispatch SET sent_at = NULL, claimed_by = NULL, claimed_at = NULL");
  }

  private boolean cutOff(Link link) {
    proxy.refuse(true);
    return Fault.Action.end(Ending.RESET).passes(link);
  }
}
