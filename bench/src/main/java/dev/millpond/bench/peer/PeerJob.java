package dev.millpond.bench.peer;

/**
 * What a job of a peer carries: as much JSON as a job of Millpond's scenarios.
 *
 * @param at {@link System#nanoTime()} of the submit
 * @param number of the job within its measurement, from 0
 */
public record PeerJob(long at, int number, String text) {}
