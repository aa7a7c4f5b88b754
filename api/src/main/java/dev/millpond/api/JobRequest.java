package dev.millpond.api;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A job to submit. Immutable; the {@code with} methods give changed copies.
 *
 * @param kind names the handler; {@code [a-z0-9][a-z0-9_.-]{0,63}}
 * @param payload written as JSON, at most {@link Limits#PAYLOAD_BYTES}; a {@link RawJson} is taken
 *     as it is, null means JSON {@code null}
 * @param queue same alphabet as the kind
 * @param priorityClass one of the configured classes: critical, high, normal
 * @param start when it may run
 * @param options all that is rarely set
 */
public record JobRequest(
    String kind,
    @Nullable Object payload,
    String queue,
    String priorityClass,
    Start start,
    JobOptions options) {

  /** When a job may run. */
  public sealed interface Start {
    /** As soon as a worker has room. */
    record Now() implements Start {}

    /** After a delay, counted by the database's clock from the commit. */
    record In(Duration delay) implements Start {}

    /** At an instant of the database's clock; one in the past means now. */
    record At(Instant runAt) implements Start {}
  }

  /** JSON text that is stored as it is, after validation. */
  public record RawJson(String text) {}

  private static final Start NOW = new Start.Now();

  /** A job of this kind in the default queue and class, to run now. */
  public static JobRequest of(String kind, @Nullable Object payload) {
    return new JobRequest(
        kind, payload, Limits.DEFAULT_QUEUE, Limits.DEFAULT_CLASS, NOW, JobOptions.DEFAULT);
  }

  public JobRequest withQueue(String newQueue) {
    return new JobRequest(kind, payload, newQueue, priorityClass, start, options);
  }

  public JobRequest withPriorityClass(String newClass) {
    return new JobRequest(kind, payload, queue, newClass, start, options);
  }

  public JobRequest withDelay(Duration delay) {
    return new JobRequest(kind, payload, queue, priorityClass, new Start.In(delay), options);
  }

  public JobRequest withRunAt(Instant runAt) {
    return new JobRequest(kind, payload, queue, priorityClass, new Start.At(runAt), options);
  }

  public JobRequest withOptions(JobOptions newOptions) {
    return new JobRequest(kind, payload, queue, priorityClass, start, newOptions);
  }
}
