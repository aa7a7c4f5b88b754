package dev.millpond.bench;

import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * What has been used up to a moment, or between two.
 *
 * @param nanos of {@link System#nanoTime()}
 * @param clientCpu seconds of this JVM
 * @param postgresCpu seconds of all PostgreSQL processes; null when they cannot be seen
 * @param redisCpu seconds of Redis; null when it cannot be seen, or there is none
 * @param walBytes written to the log
 * @param statements SQL statements executed
 * @param redisCommands served
 */
record Usage(
    long nanos,
    double clientCpu,
    @Nullable Double postgresCpu,
    @Nullable Double redisCpu,
    long walBytes,
    long statements,
    long redisCommands) {

  /** Looks now. */
  static Usage now(Database database, @Nullable RedisLine redis, long redisPid)
      throws SQLException {
    return new Usage(
        System.nanoTime(),
        ProcessCpu.self(),
        ProcessCpu.tree(database.postmaster()),
        redisPid == 0 ? null : ProcessCpu.tree(redisPid),
        database.walBytes(),
        database.statements(),
        redis == null ? 0 : redis.commands());
  }

  /** From an earlier look to this one. */
  Usage since(Usage earlier) {
    return new Usage(
        nanos - earlier.nanos,
        clientCpu - earlier.clientCpu,
        difference(postgresCpu, earlier.postgresCpu),
        difference(redisCpu, earlier.redisCpu),
        walBytes - earlier.walBytes,
        statements - earlier.statements,
        redisCommands - earlier.redisCommands);
  }

  private static @Nullable Double difference(@Nullable Double now, @Nullable Double earlier) {
    return now == null || earlier == null ? null : now - earlier;
  }

  double seconds() {
    return nanos / 1e9;
  }
}
