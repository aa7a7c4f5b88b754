package dev.millpond.bench.servers;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Reads what the processes of one measurement have used: this JVM, PostgreSQL, Redis, and those
 * that are {@linkplain #watch added}. Processes that cannot be seen, because they are on another
 * machine or this is no Linux, have no figure. Not thread-safe but for {@code watch}.
 */
public final class Meter {
  private final Database database;
  private final List<RedisLine> redis;
  private final List<Watched> watched = new CopyOnWriteArrayList<>();

  private record Watched(Role role, long pid) {}

  /**
   * @param redis the Redis servers that the measurement uses; none in the mode without
   */
  public Meter(Database database, List<RedisLine> redis) {
    this.database = database;
    this.redis = List.copyOf(redis);
    watch(Role.CLIENT, ProcessHandle.current().pid());
    watch(Role.POSTGRES, database.postmaster());
    redis.forEach(line -> watch(Role.REDIS, line.localPid()));
  }

  /**
   * Reads this process as well from now on.
   *
   * @param pid 0 for one that cannot be seen
   */
  public void watch(Role role, long pid) {
    watched.add(new Watched(role, pid));
  }

  /** Looks now. */
  public Reading read() throws SQLException {
    Map<Role, Double> cpu = new EnumMap<>(Role.class);
    Map<Role, Long> memory = new EnumMap<>(Role.class);
    List<Role> unseen = new ArrayList<>();
    for (Watched each : watched) {
      Double seconds =
          each.role == Role.CLIENT
              ? Double.valueOf(Processes.self())
              : Processes.tree(each.pid, each.role == Role.POSTGRES);
      if (seconds == null) {
        unseen.add(each.role);
      } else {
        cpu.merge(each.role, seconds, Double::sum);
      }
      long resident = each.role.java() ? Processes.residentBytes(each.pid) : 0;
      if (resident > 0) {
        memory.merge(each.role, resident, Long::sum);
      }
    }
    unseen.forEach(cpu::remove); // half a sum is no sum
    return new Reading(
        System.nanoTime(),
        cpu,
        memory,
        database.walBytes(),
        database.countsStatements() ? database.statements() : null,
        redis.isEmpty() ? null : redis.stream().mapToLong(RedisLine::commands).sum());
  }
}
