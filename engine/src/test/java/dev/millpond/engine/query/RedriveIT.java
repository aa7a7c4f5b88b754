package dev.millpond.engine.query;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millpond.api.FatalJobException;
import dev.millpond.api.InvalidJobException;
import dev.millpond.api.JobOptions;
import dev.millpond.api.JobRequest;
import dev.millpond.api.JobState;
import dev.millpond.api.JobView;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.Millpond;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Dead letters redriven in bulk, and replaced by edited copies. */
class RedriveIT {
  private static Database database;
  private Fleet fleet;
  private Millpond node;
  private volatile boolean healed;

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
    fleet.worker(m ->
        m.registerHandler(
            "fragile",
            String.class,
            (context, payload) -> {
              if (!healed && !payload.equals("good")) {
                throw new FatalJobException("cannot read " + payload);
              }
              return payload;
            }));
  }

  @AfterEach
  void stop() {
    fleet.end();
  }

  @Test
  void allThatMatchAreRedrivenInStepsAndRunAgain() {
    dead("keep", 3);
    dead("many", 1_200);
    healed = true;
    BulkRedrive result =
        node.redriveAll(DeadLetterFilter.ALL.withQueue("many"), OptionalLong.of(1_200));
    assertThat(result).isEqualTo(new BulkRedrive.Done(1_200, 0, new Count(0, true)));
    fleet.untilEnded(1_200);
    assertThat(node.countDeadLetters(DeadLetterFilter.ALL)).isEqualTo(new Count(3, true));
    assertThat(node.redriveAll(DeadLetterFilter.ALL.withQueue("many"), OptionalLong.empty()))
        .isEqualTo(new BulkRedrive.Done(0, 0, new Count(0, true)));
  }

  @Test
  void anotherCountThanExpectedChangesNothing() {
    dead("q", 4);
    assertThat(node.redriveAll(DeadLetterFilter.ALL, OptionalLong.of(3)))
        .isEqualTo(new BulkRedrive.CountDiffers(new Count(4, true)));
    assertThat(node.countDeadLetters(DeadLetterFilter.ALL)).isEqualTo(new Count(4, true));
  }

  @Test
  void callsThatRaceRedriveEachDeadLetterOnce() throws Exception {
    dead("q", 600);
    healed = true;
    CountDownLatch start = new CountDownLatch(1);
    long redriven = 0;
    try (ExecutorService pool = Executors.newFixedThreadPool(4)) {
      List<Future<BulkRedrive>> calls = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        Callable<BulkRedrive> call =
            () -> {
              start.await();
              return node.redriveAll(DeadLetterFilter.ALL, OptionalLong.empty());
            };
        calls.add(pool.submit(call));
      }
      start.countDown();
      for (Future<BulkRedrive> call : calls) {
        redriven += ((BulkRedrive.Done) call.get()).redriven();
      }
    }
    assertThat(redriven).isEqualTo(600);
    fleet.untilEnded(600);
  }

  @Test
  void aDeadJobIsReplacedByAnEditedCopy() {
    UUID dead =
        node.submitOrThrow(
            JobRequest.of("fragile", "bad")
                .withQueue("edit")
                .withPriorityClass("high")
                .withOptions(
                    JobOptions.DEFAULT
                        .withTags("kept")
                        .withMaxAttempts(1)
                        .withExpiresIn(Duration.ofHours(1))));
    fleet.untilState(dead, JobState.DEAD);
    assertThat(node.deadLetter(dead).orElseThrow().error().message()).isEqualTo("cannot read bad");
    Replacement result = node.replaceDeadLetter(dead, "\"good\"", 7);
    UUID copy = ((Replacement.Replaced) result).newId();
    JobView done = fleet.untilState(copy, JobState.SUCCEEDED);
    assertThat(done.request().payload()).isEqualTo("\"good\"");
    assertThat(done.request().queue()).isEqualTo("edit");
    assertThat(done.request().priorityClass()).isEqualTo("high");
    assertThat(done.request().options())
        .isEqualTo(JobOptions.DEFAULT.withTags("kept").withMaxAttempts(7));
    JobView old = node.find(dead).orElseThrow();
    assertThat(old.state()).isEqualTo(JobState.CANCELLED);
    assertThat(old.attempts().getLast().ended()).isEqualTo("cancelled");
    assertThat(old.attempts().getLast().error())
        .isEqualTo(new JobView.JobError("replaced", "replaced by job " + copy, null));
    assertThat(node.deadLetter(dead)).isEmpty();
    assertThat(node.replaceDeadLetter(dead, "1", null))
        .isEqualTo(new Replacement.WrongState(JobState.CANCELLED));
  }

  @Test
  void onlyADeadJobIsReplacedAndOnlyByWhatIsInRange() {
    UUID later = node.submitOrThrow(JobRequest.of("fragile", "x").withDelay(Duration.ofHours(1)));
    assertThat(node.replaceDeadLetter(later, "1", null))
        .isEqualTo(new Replacement.WrongState(JobState.SCHEDULED));
    assertThat(node.replaceDeadLetter(UUID.randomUUID(), "1", null))
        .isEqualTo(new Replacement.NotFound());
    UUID dead = dead("q", 1).getFirst();
    assertThatThrownBy(() -> node.replaceDeadLetter(dead, "{", null))
        .isInstanceOf(InvalidJobException.class);
    assertThatThrownBy(() -> node.replaceDeadLetter(dead, null, 0))
        .isInstanceOf(InvalidJobException.class);
    assertThat(node.find(dead).orElseThrow().state()).isEqualTo(JobState.DEAD);
  }

  private List<UUID> dead(String queue, int count) {
    List<UUID> ids = Fleet.submit(node, JobRequest.of("fragile", "bad").withQueue(queue), count);
    DeadLetterFilter filter = DeadLetterFilter.ALL.withQueue(queue);
    Fleet.until(count + " dead", () -> node.countDeadLetters(filter).count() >= count);
    return ids;
  }
}
