package dev.millpond.engine.query;

/**
 * How many there are of something.
 *
 * @param exact false when counting stopped at its limit: there are at least this many
 */
public record Count(long count, boolean exact) {}
