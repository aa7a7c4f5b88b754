package dev.millpond.bench.servers;

import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What had been used at a moment.
 *
 * @param nanos of {@link System#nanoTime()}
 * @param cpuSeconds by role, of those that can be seen
 * @param residentBytes of Java processes, by role
 * @param walBytes written to PostgreSQL's log
 * @param statements SQL statements executed; null when they are not counted
 * @param redisCommands served; null without Redis
 */
public record Reading(
    long nanos,
    Map<Role, Double> cpuSeconds,
    Map<Role, Long> residentBytes,
    long walBytes,
    @Nullable Long statements,
    @Nullable Long redisCommands) {

  /** From an earlier reading to this one. */
  public Usage since(Reading earlier) {
    Map<Role, Double> cpu = new EnumMap<>(Role.class);
    cpuSeconds.forEach((role, now) -> {
      Double before = earlier.cpuSeconds.get(role);
      if (before != null) {
        cpu.put(role, now - before);
      }
    });
    return new Usage(
        (nanos - earlier.nanos) / 1e9,
        cpu,
        earlier.residentBytes,
        residentBytes,
        walBytes - earlier.walBytes,
        difference(statements, earlier.statements),
        difference(redisCommands, earlier.redisCommands));
  }

  private static @Nullable Long difference(@Nullable Long now, @Nullable Long earlier) {
    return now == null || earlier == null ? null : Long.valueOf(now - earlier);
  }
}
