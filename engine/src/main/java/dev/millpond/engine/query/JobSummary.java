package dev.millpond.engine.query;

import dev.millpond.api.JobOptions;
import dev.millpond.api.JobState;
import dev.millpond.api.JobView.JobError;
import dev.millpond.api.JobView.Progress;
import dev.millpond.api.JobView.Timing;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A job as a list shows it: without payload, result, attempts and stack. */
public record JobSummary(
    UUID id, String kind, String queue, String priorityClass, JobOptions options, Status status) {

  /**
   * Where it is in its life; the parts are those of {@link dev.millpond.api.JobView}.
   *
   * @param error the last error of a job that has not succeeded; in a list without its stack
   */
  public record Status(
      JobState state,
      @Nullable String waitReason,
      int attempt,
      Timing timing,
      @Nullable JobError error,
      @Nullable Progress progress) {}
}
