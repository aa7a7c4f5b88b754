package dev.millpond.bench.servers;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What was used between two {@linkplain Reading readings}.
 *
 * @param cpuSeconds by role, of those that can be seen
 * @param residentBefore bytes of Java processes at the first, by role
 * @param residentAfter the same at the second
 * @param walBytes written to PostgreSQL's log
 * @param statements SQL statements executed; null when they are not counted
 * @param redisCommands served; null without Redis
 */
public record Usage(
    double seconds,
    Map<Role, Double> cpuSeconds,
    Map<Role, Long> residentBefore,
    Map<Role, Long> residentAfter,
    long walBytes,
    @Nullable Long statements,
    @Nullable Long redisCommands) {}
