package dev.millpond.engine.query;

import java.time.Instant;

/**
 * A line that a run of a job has logged.
 *
 * @param leaseToken of the run
 * @param line number within the run
 */
public record LogLine(int leaseToken, int line, Instant at, String text) {}
