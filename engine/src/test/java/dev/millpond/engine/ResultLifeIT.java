package dev.millpond.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobOptions;
import dev.millpond.api.JobRequest;
import dev.millpond.api.JobState;
import dev.millpond.api.SubmitResult;
import dev.millpond.engine.Fleet.Mode;
import java.time.Duration;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A result lives as long as its job, not at all, or for the time that was asked for. */
class ResultLifeIT {
  private static final JobOptions FOR_AN_HOUR =
      JobOptions.DEFAULT.withResultTtl(Duration.ofHours(1));

  private static Database database;
  private Fleet fleet;
  private Millpond node;

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
    node =
        fleet.worker(m -> {
          m.registerHandler("echo", String.class, (context, p) -> p);
          m.registerHandler(
              "tx",
              String.class,
              (context, p) -> {
                context.completeIn(connection -> p);
                return null;
              });
        });
  }

  @AfterEach
  void stop() {
    fleet.end();
  }

  private UUID run(String kind, JobOptions options) {
    UUID id = node.submitOrThrow(JobRequest.of(kind, "x").withOptions(options));
    fleet.untilState(id, JobState.SUCCEEDED);
    return id;
  }

  private String result(UUID id) {
    return String.valueOf(node.find(id).orElseThrow().result());
  }

  private void pass() {
    database.update("UPDATE millpond.job_result SET expires_at = now() - interval '1 ms'");
  }

  @Test
  void aResultWithATimeToLiveIsKeptApartAndIsGoneAfterIt() {
    UUID id = run("echo", FOR_AN_HOUR);
    assertThat(database.number("SELECT count(*) FROM millpond.job_outcome WHERE result IS NULL"))
        .isEqualTo(1);
    assertThat(
            database.number(
                "SELECT extract(epoch FROM expires_at - now())::int8 FROM millpond.job_result"))
        .isBetween(3_500L, 3_600L);
    assertThat(result(id)).isEqualTo("\"x\"");
    pass();
    assertThat(result(id)).as("although nobody has tidied").isEqualTo("null");
    assertThat(node.find(id).orElseThrow().state()).isEqualTo(JobState.SUCCEEDED);
  }

  @Test
  void otherResultsStayInTheirOutcomes() {
    assertThat(result(run("echo", JobOptions.DEFAULT))).isEqualTo("\"x\"");
    assertThat(result(run("echo", JobOptions.DEFAULT.withKeepResult(false)))).isEqualTo("null");
    assertThat(database.number("SELECT count(*) FROM millpond.job_result")).isZero();
  }

  @Test
  void aTransactionalCompletionKeepsItsResultLikewise() {
    assertThat(result(run("tx", JobOptions.DEFAULT))).isEqualTo("\"x\"");
    assertThat(result(run("tx", JobOptions.DEFAULT.withKeepResult(false)))).isEqualTo("null");
    UUID id = run("tx", FOR_AN_HOUR);
    assertThat(result(id)).isEqualTo("\"x\"");
    assertThat(database.number("SELECT count(*) FROM millpond.job_result")).isEqualTo(1);
    pass();
    assertThat(result(id)).isEqualTo("null");
  }

  @Test
  void aReplayedKeyNamesTheJobWhoseResultLives() {
    JobOptions keyed = FOR_AN_HOUR.withIdempotencyKey("a");
    UUID id = run("echo", keyed);
    assertThat(node.submit(JobRequest.of("echo", "x").withOptions(keyed)))
        .isEqualTo(new SubmitResult.Existing(id));
    assertThat(result(id)).isEqualTo("\"x\"");
  }
}
