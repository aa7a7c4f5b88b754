package dev.millpond.engine.admission;

/**
 * What a submit asks of one queue.
 *
 * @param now jobs that are runnable at once, and count in the queue's depth
 * @param later jobs that are scheduled
 */
public record Need(String queue, int now, int later) {}
