package dev.millpond.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobRequest;
import dev.millpond.api.JobState;
import dev.millpond.engine.Fleet.Mode;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Jobs that are to run later run then, and never before, by the database's clock. */
class ScheduleIT {
  private static Database database;
  private Fleet fleet;

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
    fleet = Fleet.on(database, Mode.STREAMS);
  }

  @AfterEach
  void stop() {
    fleet.end();
  }

  @Test
  void noDelayedJobRunsEarly() {
    Millpond node = fleet.worker(m -> m.registerHandler("noop", Integer.class, (c, p) -> null));
    fleet.maintainer();
    List<JobRequest> requests = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      requests.add(JobRequest.of("noop", i).withDelay(Duration.ofMillis(1 + i * 7L)));
    }
    Fleet.submit(node, requests);
    fleet.untilEnded(200);
    assertThat(
            database.number(
                """
                SELECT count(*) FROM millpond.job j JOIN millpond.job_outcome o ON o.job_id = j.id
                WHERE o.ended_at < j.created_at + (1 + j.payload::int * 7) * interval '1 ms'
                """))
        .isZero();
    assertThat(
            database.number(
                """
                SELECT max(extract(epoch FROM o.ended_at - j.created_at) * 1000 - j.payload::int * 7)
                FROM millpond.job j JOIN millpond.job_outcome o ON o.job_id = j.id
                """))
        .as("the latest, in milliseconds")
        .isLessThan(5_000);
  }

  @Test
  void aJobRunsAtItsInstant() {
    Millpond node = fleet.worker(m -> m.registerHandler("noop", Integer.class, (c, p) -> null));
    fleet.maintainer();
    Instant at = Instant.now().plusMillis(700);
    UUID id = node.submitOrThrow(JobRequest.of("noop", 1).withRunAt(at));
    assertThat(node.find(id).orElseThrow().state()).isEqualTo(JobState.SCHEDULED);
    Instant startedAt = fleet.untilState(id, JobState.SUCCEEDED).timing().startedAt();
    assertThat(startedAt).isAfterOrEqualTo(at.minusMillis(1));
  }

  @Test
  void anInstantInThePastMeansNow() {
    Millpond node = fleet.worker(m -> m.registerHandler("noop", Integer.class, (c, p) -> null));
    UUID id =
        node.submitOrThrow(JobRequest.of("noop", 1).withRunAt(Instant.now().minusSeconds(60)));
    fleet.untilState(id, JobState.SUCCEEDED);
    assertThat(database.number("SELECT count(*) FROM millpond.job_state")).isZero();
  }
}
