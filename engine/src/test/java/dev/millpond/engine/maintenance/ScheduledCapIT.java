package dev.millpond.engine.maintenance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobRequest;
import dev.millpond.api.SubmitOptions;
import dev.millpond.api.SubmitResult;
import dev.millpond.api.SubmitResult.Accepted;
import dev.millpond.api.SubmitResult.Measure;
import dev.millpond.api.SubmitResult.Refused;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.maintenance.store.ScheduledStore;
import dev.millpond.engine.maintenance.store.ScheduledStore.Changed;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** How many jobs may be scheduled in a queue. */
class ScheduledCapIT {
  private static final JobRequest LATER = JobRequest.of("kind", 1).withDelay(Duration.ofDays(1));

  @Test
  void aQueueWithAsManyScheduledJobsAsMayBeTakesNoMoreOfThem() throws SQLException {
    try (Database database = Database.fresh();
        Fleet fleet = Fleet.on(database, Mode.POSTGRES);
        Connection leader = database.connect()) {
      Millpond node = fleet.producer();
      List<UUID> ids = Fleet.submit(node, LATER, 20);
      assertThat(ScheduledStore.mark(leader, 20, 1 << 30)).isEqualTo(new Changed(0, 0));
      assertThat(now(node, LATER)).isInstanceOf(Accepted.class);
      assertThat(ScheduledStore.mark(leader, 20, 1)).isEqualTo(new Changed(1, 0));

      Fleet.until("it is refused", () -> now(node, LATER) instanceof Refused);
      assertThat(now(node, LATER))
          .isInstanceOfSatisfying(
              Refused.class,
              refused -> assertThat(refused.measure()).isEqualTo(Measure.SCHEDULED_JOBS));
      assertThat(now(node, JobRequest.of("kind", 1))).isInstanceOf(Accepted.class);
      assertThat(now(node, LATER.withQueue("other"))).isInstanceOf(Accepted.class);

      ids.subList(0, 5).forEach(node::cancel);
      while (database.number("SELECT count(*) FROM millpond.job_state") >= 18) {
        node.cancel(UUID.fromString(first(database)));
      }
      assertThat(ScheduledStore.mark(leader, 20, 1)).isEqualTo(new Changed(0, 1));
      Fleet.until("it is accepted", () -> now(node, LATER) instanceof Accepted);
      fleet.end();
    }
  }

  private static String first(Database database) {
    return database
        .strings("SELECT job_id::text FROM millpond.job_state WHERE queue = 'default' LIMIT 1")
        .getFirst();
  }

  private static SubmitResult now(Millpond to, JobRequest job) {
    return to.submit(job, SubmitOptions.NO_WAIT);
  }
}
