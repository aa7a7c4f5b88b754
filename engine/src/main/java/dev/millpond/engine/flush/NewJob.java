package dev.millpond.engine.flush;

import dev.millpond.api.JobRequest;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A validated job that is not written yet.
 *
 * @param options JSON object of the settings that are rarely given; null for none
 * @param start when it may run
 * @param expiresAt until when it may start, on the database's clock; null for ever
 * @param payloadBytes in UTF-8
 */
public record NewJob(
    UUID id,
    String queue,
    String priorityClass,
    String kind,
    String payload,
    @Nullable String options,
    Start start,
    @Nullable Instant expiresAt,
    int payloadBytes) {

  public NewJob(
      UUID id,
      String queue,
      String priorityClass,
      String kind,
      String payload,
      @Nullable String options,
      Start start,
      @Nullable Instant expiresAt) {
    this(
        id,
        queue,
        priorityClass,
        kind,
        payload,
        options,
        start,
        expiresAt,
        PayloadBytes.of(payload));
  }

  /** A job that does not expire. */
  public NewJob(
      UUID id,
      String queue,
      String priorityClass,
      String kind,
      String payload,
      @Nullable String options,
      Start start) {
    this(id, queue, priorityClass, kind, payload, options, start, null);
  }

  /** When a job may run, on the database's clock. */
  public sealed interface Start {
    /** Now: it gets a dispatch row. */
    record Now() implements Start {}

    /** At microseconds since 1970: it gets a state row. */
    record At(long epochMicros) implements Start {}

    /** This long after the commit: it gets a state row. */
    record In(long delayMicros) implements Start {}

    /**
     * As a producer has asked for it.
     *
     * @param now the database's clock; what is not after it means now
     */
    static Start of(JobRequest.Start asked, Instant now) {
      return switch (asked) {
        case JobRequest.Start.Now ignored -> NOW;
        case JobRequest.Start.In in ->
            in.delay().isZero() ? NOW : new In(in.delay().toNanos() / 1_000);
        case JobRequest.Start.At at ->
            at.runAt().isAfter(now)
                ? new At(ChronoUnit.MICROS.between(Instant.EPOCH, at.runAt()))
                : NOW;
      };
    }
  }

  public static final Start NOW = new Start.Now();

  public NewJob withOptions(String newOptions) {
    return new NewJob(
        id, queue, priorityClass, kind, payload, newOptions, start, expiresAt, payloadBytes);
  }

  public boolean runsNow() {
    return start instanceof Start.Now;
  }

  /** Roughly what it costs to send, in bytes. */
  public int weight() {
    return 160 + payload.length() + (options == null ? 0 : options.length());
  }
}
