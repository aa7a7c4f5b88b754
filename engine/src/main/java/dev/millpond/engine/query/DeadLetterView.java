package dev.millpond.engine.query;

import dev.millpond.api.JobView.JobError;
import java.time.Instant;
import java.util.UUID;

/**
 * A job that ran out of attempts or failed for good.
 *
 * @param reason {@code exhausted}, {@code fatal} or {@code poison}
 */
public record DeadLetterView(
    UUID jobId,
    String queue,
    String priorityClass,
    String kind,
    int attempts,
    String reason,
    JobError error,
    Instant deadAt) {}
