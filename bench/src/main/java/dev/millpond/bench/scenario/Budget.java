package dev.millpond.bench.scenario;

/**
 * How long to take.
 *
 * @param warmMillis before each measurement, on its own connections
 * @param millis of each measurement
 * @param longMillis of those that look for a change in the course of time
 * @param drainJobs of the drain
 * @param paceJobs the least of those at a steady pace, whose percentiles are looked at
 */
public record Budget(long warmMillis, long millis, long longMillis, int drainJobs, int paceJobs) {}
