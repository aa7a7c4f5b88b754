package dev.millpond.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.FatalJobException;
import dev.millpond.api.JobRequest;
import dev.millpond.api.JobState;
import dev.millpond.api.JobView;
import dev.millpond.api.JobView.Holder;
import dev.millpond.api.JobView.HolderType;
import dev.millpond.api.JobView.Worker;
import dev.millpond.engine.Fleet.Mode;
import java.sql.Connection;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A job that is looked at says what holds it and what happens next. */
class HolderIT {
  private static Database database;
  private Fleet fleet;
  private Millpond node;
  private final CountDownLatch release = new CountDownLatch(1);

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
    fleet = Fleet.on(database, Mode.POSTGRES);
    node = fleet.producer();
  }

  @AfterEach
  void stop() {
    fleet.end();
  }

  private void work() {
    fleet.worker(m -> {
      m.registerHandler("noop", String.class, (c, p) -> null);
      m.registerHandler(
          "long",
          String.class,
          (c, p) -> {
            release.await();
            return null;
          });
      m.registerHandler(
          "fatal",
          String.class,
          (c, p) -> {
            throw new FatalJobException("no");
          });
    });
  }

  private Holder holder(UUID id) {
    JobView job = node.find(id).orElseThrow();
    assertThat(job.nextStep()).isNotBlank();
    Holder holder = job.holder();
    assertThat(holder).isNotNull();
    return holder;
  }

  private void assertKnown(Holder holder) {
    Worker worker = holder.worker();
    assertThat(worker).isNotNull();
    assertThat(worker.host()).isNotBlank();
    assertThat(worker.pid()).isEqualTo(ProcessHandle.current().pid());
  }

  @Test
  void aWaitingJobNamesItsBatch() {
    node.submitOrThrow(JobRequest.of("noop", ""));
    UUID id = node.submitOrThrow(JobRequest.of("noop", ""));
    Holder holder = holder(id);
    assertThat(holder.type()).isEqualTo(HolderType.BATCH);
    assertThat(holder.dispatchId())
        .isEqualTo(
            database
                .ids("SELECT id FROM millpond.dispatch WHERE job_ids @> ARRAY[?::uuid]", id)
                .getFirst());
    assertThat(holder.worker()).isNull();
    assertThat(node.find(id).orElseThrow().nextStep()).contains("waits in PostgreSQL");
    database.update("UPDATE millpond.dispatch SET sent_at = now()");
    assertThat(holder(id).sentAt()).isNotNull();
    database.update("UPDATE millpond.dispatch SET sent_at = NULL");
  }

  @Test
  void aJobInAClaimedBatchNamesTheWorkerAndARunningOneItsDeadline() {
    work();
    UUID id = node.submitOrThrow(JobRequest.of("long", ""));
    Fleet.until(
        "the claim",
        () ->
            database.number("SELECT count(*) FROM millpond.dispatch WHERE claimed_by IS NOT NULL")
                    == 1
                || database.number("SELECT count(*) FROM millpond.job_state") == 1);
    assertKnown(holder(id));
    fleet.untilState(id, JobState.RUNNING);
    Holder runs = holder(id);
    assertThat(runs.type()).isEqualTo(HolderType.STATE);
    assertKnown(runs);
    assertThat(runs.seenAt()).isNotNull();
    assertThat(runs.deadline()).isNotNull();
    node.cancel(id);
    assertThat(node.find(id).orElseThrow().nextStep()).containsAnyOf("told to stop", "has ended");
    release.countDown();
    fleet.untilEnded(1);
    Holder ended = holder(id);
    assertThat(ended.type()).isEqualTo(HolderType.OUTCOME);
    assertKnown(ended);
  }

  @Test
  void scheduledAndDeadJobsRestInTheirRows() {
    UUID scheduled = node.submitOrThrow(JobRequest.of("noop", "").withDelay(Duration.ofHours(1)));
    assertThat(holder(scheduled)).isEqualTo(Holder.of(HolderType.STATE));
    work();
    UUID dead = node.submitOrThrow(JobRequest.of("fatal", ""));
    fleet.untilState(dead, JobState.DEAD);
    assertThat(holder(dead)).isEqualTo(Holder.of(HolderType.DEAD_LETTER));
  }

  @Test
  void aSearchForTheBatchThatTakesTooLongIsGivenUp() throws Exception {
    UUID id = node.submitOrThrow(JobRequest.of("noop", ""));
    try (Connection other = database.connect()) {
      other.setAutoCommit(false);
      Database.update(other, "LOCK TABLE millpond.dispatch IN ACCESS EXCLUSIVE MODE");
      assertThat(holder(id)).isEqualTo(Holder.of(HolderType.BATCH));
      assertThat(node.find(id).orElseThrow().nextStep()).contains("on its way");
      other.rollback();
    }
    assertThat(holder(id).dispatchId()).isNotNull();
  }
}
