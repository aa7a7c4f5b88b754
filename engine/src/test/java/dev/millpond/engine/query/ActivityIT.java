package dev.millpond.engine.query;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.millpond.api.FatalJobException;
import dev.millpond.api.JobRequest;
import dev.millpond.api.JobState;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.Millpond;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What is said of a fleet at work, and of what its jobs died of. */
class ActivityIT {
  @Test
  void jobsThatRanAndDiedAreCountedAndGroupedByTheirErrors() {
    try (Database database = Database.fresh();
        Fleet fleet = Fleet.on(database, Mode.POSTGRES)) {
      Millpond producer = fleet.producer();
      assertThat(producer.activity().attempts())
          .isEqualTo(new Activity.Attempts(0, 0, 0, 0, 0, false));
      assertThat(producer.activity().waited()).isNull();
      fleet.maintainer();
      fleet.worker(m ->
          m.registerHandler("good", Integer.class, (context, n) -> n)
              .registerHandler(
                  "bad",
                  Integer.class,
                  (context, n) -> {
                    throw new FatalJobException(
                        n < 3
                            ? "no account " + n + " at \"bank " + n + "\"\nmore"
                            : "closed since 0x" + n);
                  }));
      List<UUID> good = Fleet.submit(producer, JobRequest.of("good", 1), 5);
      for (int n = 0; n < 4; n++) {
        UUID bad = Fleet.submit(producer, JobRequest.of("bad", n), 1).getFirst();
        fleet.untilState(bad, JobState.DEAD);
      }
      good.forEach(job -> fleet.untilState(job, JobState.SUCCEEDED));
      Fleet.until("somebody leads", () -> producer.activity().leader() != null);

      Activity activity = producer.activity();
      assertThat(activity.attempts()).isEqualTo(new Activity.Attempts(5, 4, 0, 0, 0, false));
      assertThat(activity.attempts().successRatio()).isEqualTo(5.0 / 9);
      assertThat(activity.submittedPerSecond()).isPositive();
      assertThat(activity.waited()).isNotNull();
      assertThat(activity.ran()).isNotNull();
      assertThat(activity.died()).isEqualTo(new Activity.Died(4, 4));
      Activity.Leader leader = activity.leader();
      assertThat(leader).isNotNull();
      assertThat(leader.lease()).isPositive();

      DeadLetterGroups groups = producer.deadLetterGroups(DeadLetterFilter.ALL);
      assertThat(groups.whole()).isTrue();
      assertThat(groups.groups())
          .extracting(
              DeadLetterGroups.Group::count,
              DeadLetterGroups.Group::pattern,
              DeadLetterGroups.Group::common)
          .containsExactly(
              tuple(3L, "no account # at #", "no account"),
              tuple(1L, "closed since #", "closed since"));
      assertThat(producer.deadLetterGroups(DeadLetterFilter.ALL.withError("closed")).groups())
          .hasSize(1);
      fleet.end();
    }
  }
}
