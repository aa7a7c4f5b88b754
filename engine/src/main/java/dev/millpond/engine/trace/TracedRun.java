package dev.millpond.engine.trace;

import java.time.Instant;
import java.util.UUID;

/**
 * An attempt of a job that has a trace.
 *
 * @param leaseToken its fencing token
 * @param workerId the session that runs it
 * @param madeAt when its job was submitted, by the clock of its producer
 * @param traceparent what was stored with the job
 */
public record TracedRun(
    UUID jobId,
    String queue,
    String priorityClass,
    String kind,
    int attempt,
    int leaseToken,
    UUID workerId,
    Instant madeAt,
    String traceparent) {}
