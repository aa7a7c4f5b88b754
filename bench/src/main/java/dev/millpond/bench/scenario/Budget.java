package dev.millpond.bench.scenario;

/**
 * How long to take.
 *
 * @param warmMillis before each measurement, on its own connections
 * @param millis of each measurement
 * @param drainJobs of the drain
 */
public record Budget(long warmMillis, long millis, int drainJobs) {}
