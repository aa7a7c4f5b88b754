package dev.millpond.bench.scenario;

import org.jspecify.annotations.Nullable;

/**
 * A rate that another is compared with, measured in the same run on the same servers.
 *
 * @param postgresCpuSecondsPer10k null when it cannot be seen, or means nothing
 */
public record Ceiling(
    String name, double jobsPerSecond, @Nullable Double postgresCpuSecondsPer10k) {}
