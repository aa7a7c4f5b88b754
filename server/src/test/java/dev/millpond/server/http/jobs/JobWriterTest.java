package dev.millpond.server.http.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.Backoff;
import dev.millpond.api.JobOptions;
import dev.millpond.api.JobState;
import dev.millpond.api.JobView;
import dev.millpond.server.http.json.Json;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class JobWriterTest {
  private static final UUID ID = new UUID(0, 1);
  private static final UUID WORKER = new UUID(0, 2);
  private static final Instant TIME = Instant.parse("2027-01-31T08:30:00Z");

  @Test
  void absentFieldsAreLeftOut() {
    JobView job =
        new JobView(
            new JobView.Request(ID, "a", "default", "normal", "null", JobOptions.DEFAULT),
            JobState.RUNNABLE,
            null,
            1,
            new JobView.Timing(TIME, null, null, null),
            null,
            null,
            List.of(),
            null);
    assertThat(text(job))
        .isEqualTo(
            "{\"id\":\"00000000-0000-0000-0000-000000000001\",\"kind\":\"a\",\"queue\":\"default\","
                + "\"priorityClass\":\"normal\",\"payload\":null,\"tags\":[],\"keepResult\":true,"
                + "\"state\":\"runnable\",\"attempt\":1,\"createdAt\":\"2027-01-31T08:30:00Z\","
                + "\"attempts\":[]}");
  }

  @Test
  void allFieldsAreShown() {
    JobOptions options =
        new JobOptions(
            3,
            new Backoff(Duration.ofSeconds(1), Duration.ofMinutes(1)),
            Duration.ofSeconds(5),
            Duration.ofSeconds(6),
            List.of("x"),
            true,
            "key",
            new JobOptions.Expiry.At(TIME),
            Duration.ofHours(1),
            URI.create("https://example.com/done"));
    JobView.JobError error = new JobView.JobError("java.io.IOException", "<b>\n", null);
    JobView job =
        new JobView(
            new JobView.Request(ID, "a", "q", "high", "{\"n\": 1.0}", options),
            JobState.SCHEDULED,
            "retry",
            2,
            new JobView.Timing(TIME, TIME, TIME, TIME),
            "[1]",
            error,
            List.of(new JobView.Attempt(1, 4, WORKER, TIME, TIME, "failed", error)),
            new JobView.Progress(50, "half"));
    String time = "\"2027-01-31T08:30:00Z\"";
    String errorText = "\"error\":{\"type\":\"java.io.IOException\",\"message\":\"<b>\\n\"}";
    assertThat(text(job))
        .isEqualTo(
            "{\"id\":\"00000000-0000-0000-0000-000000000001\",\"kind\":\"a\",\"queue\":\"q\","
                + "\"priorityClass\":\"high\",\"payload\":{\"n\": 1.0},\"maxAttempts\":3,"
                + "\"backoff\":{\"base\":\"PT1S\",\"max\":\"PT1M\"},\"softTimeout\":\"PT5S\","
                + "\"hardTimeout\":\"PT6S\",\"tags\":[\"x\"],\"keepResult\":\"PT1H\","
                + "\"expiresAt\":\"2027-01-31T08:30:00Z\","
                + "\"webhook\":\"https://example.com/done\","
                + "\"idempotencyKey\":\"key\",\"state\":\"scheduled\",\"waitReason\":\"retry\","
                + "\"attempt\":2,\"createdAt\":"
                + time
                + ",\"runAt\":"
                + time
                + ",\"startedAt\":"
                + time
                + ",\"endedAt\":"
                + time
                + ",\"result\":[1],"
                + errorText
                + ",\"attempts\":[{\"attempt\":1,\"leaseToken\":4,"
                + "\"workerId\":\"00000000-0000-0000-0000-000000000002\",\"startedAt\":"
                + time
                + ",\"endedAt\":"
                + time
                + ",\"ended\":\"failed\","
                + errorText
                + "}],\"progress\":{\"percent\":50,\"message\":\"half\"}}");
  }

  @Test
  void theHolderAndTheNextStepAreShownAsFarAsTheyAreKnown() {
    JobView job =
        new JobView(
            new JobView.Request(ID, "a", "q", "high", "1", JobOptions.DEFAULT),
            JobState.RUNNING,
            null,
            1,
            new JobView.Timing(TIME, null, TIME, null),
            null,
            null,
            List.of(),
            null);
    String time = "\"2027-01-31T08:30:00Z\"";
    assertThat(
            text(
                job.withHolder(
                    new JobView.Holder(
                        JobView.HolderType.STATE,
                        new JobView.Worker(WORKER, "here", 7L),
                        null,
                        null,
                        null,
                        TIME,
                        TIME),
                    "It runs.")))
        .contains(
            "\"holder\":{\"type\":\"state\","
                + "\"workerId\":\"00000000-0000-0000-0000-000000000002\",\"host\":\"here\","
                + "\"pid\":7,\"seenAt\":"
                + time
                + ",\"deadline\":"
                + time
                + "},\"nextStep\":\"It runs.\"");
    assertThat(text(job.withHolder(JobView.Holder.of(JobView.HolderType.DEAD_LETTER), "Nothing.")))
        .contains("\"holder\":{\"type\":\"dead-letter\"}");
  }

  private static String text(JobView job) {
    return new String(Json.write(out -> JobWriter.write(out, job, false)), StandardCharsets.UTF_8);
  }
}
