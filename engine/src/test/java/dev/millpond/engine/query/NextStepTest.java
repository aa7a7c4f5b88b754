package dev.millpond.engine.query;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobOptions;
import dev.millpond.api.JobState;
import dev.millpond.api.JobView;
import dev.millpond.api.JobView.Holder;
import dev.millpond.api.JobView.HolderType;
import dev.millpond.api.JobView.Worker;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class NextStepTest {
  private static final UUID ID = new UUID(0, 1);
  private static final Instant TIME = Instant.parse("2027-01-31T08:30:00Z");
  private static final Worker WORKER = new Worker(ID, "alpha", 7L);

  private static JobView job(JobState state, @Nullable String waitReason, JobOptions options) {
    return new JobView(
        new JobView.Request(ID, "a", "q", "high", "1", options),
        state,
        waitReason,
        3,
        new JobView.Timing(TIME, TIME, TIME, null),
        null,
        null,
        List.of(),
        null);
  }

  private static Holder batch(
      @Nullable Worker worker, @Nullable Instant sentAt, @Nullable Instant claimedAt) {
    return new Holder(HolderType.BATCH, worker, ID, sentAt, claimedAt, null, null);
  }

  private static String of(JobState state, Holder holder) {
    return NextStep.of(job(state, null, JobOptions.DEFAULT), holder, false);
  }

  @Test
  void whatHasEndedOrRestsHasNone() {
    assertThat(of(JobState.SUCCEEDED, Holder.of(HolderType.OUTCOME)))
        .isEqualTo("Nothing: it has ended.");
    assertThat(of(JobState.DEAD, Holder.of(HolderType.DEAD_LETTER))).contains("redrives");
  }

  @Test
  void aScheduledJobSaysWhenAndWhichAttempt() {
    Holder state = Holder.of(HolderType.STATE);
    assertThat(of(JobState.SCHEDULED, state)).isEqualTo("It may start at 2027-01-31T08:30:00Z.");
    assertThat(NextStep.of(job(JobState.SCHEDULED, "retry", JobOptions.DEFAULT), state, false))
        .isEqualTo("Attempt 3 may start at 2027-01-31T08:30:00Z.");
  }

  @Test
  void aRunnableJobSaysWhoHasItsBatch() {
    assertThat(of(JobState.RUNNABLE, batch(null, null, null))).contains("waits in PostgreSQL");
    assertThat(of(JobState.RUNNABLE, batch(null, TIME, null))).contains("on a stream since 2027");
    assertThat(of(JobState.RUNNABLE, batch(WORKER, null, TIME)))
        .startsWith("Worker alpha (process 7) has claimed its batch");
    assertThat(of(JobState.RUNNABLE, Holder.of(HolderType.BATCH)))
        .isEqualTo("Its batch is on its way to a worker that runs a.");
  }

  @Test
  void aRunningJobSaysWhoRunsItAndUntilWhen() {
    Holder state = new Holder(HolderType.STATE, WORKER, null, null, null, TIME, TIME);
    assertThat(of(JobState.RUNNING, state))
        .startsWith("Worker alpha (process 7) runs it and ends it by 2027-01-31T08:30:00Z");
    assertThat(NextStep.of(job(JobState.RUNNING, null, JobOptions.DEFAULT), state, true))
        .isEqualTo("Worker alpha (process 7) has been told to stop it; then it is cancelled.");
    Holder gone =
        new Holder(HolderType.STATE, new Worker(ID, null, null), null, null, null, TIME, TIME);
    assertThat(of(JobState.RUNNING, gone)).startsWith("Worker " + ID + " runs it");
  }

  @Test
  void anExpiryBelongsToTheNextStepOfWhatHasNotStarted() {
    JobOptions expires = JobOptions.DEFAULT.withExpiresAt(TIME);
    String unless = "; if it has not started by 2027-01-31T08:30:00Z, it is cancelled.";
    Holder state = Holder.of(HolderType.STATE);
    assertThat(NextStep.of(job(JobState.SCHEDULED, null, expires), state, false)).endsWith(unless);
    assertThat(NextStep.of(job(JobState.RUNNABLE, null, expires), batch(null, null, null), false))
        .endsWith(unless);
    assertThat(NextStep.of(job(JobState.RUNNING, null, expires), state, false))
        .doesNotContain("cancelled");
  }
}
