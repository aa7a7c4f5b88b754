package dev.millpond.bench.scenario;

import dev.millpond.bench.servers.Database;
import dev.millpond.bench.servers.Meter;
import dev.millpond.bench.servers.RedisLines;
import dev.millpond.bench.servers.Servers;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What a scenario runs on.
 *
 * @param redis connections to Redis servers
 * @param ceilings of the bare statements that its scenarios are compared with; filled before them
 * @param progress told of steps within the scenario, a line each
 */
public record Stage(
    Mode mode,
    Servers servers,
    Database database,
    RedisLines redis,
    Budget budget,
    Map<Bare, Ceiling> ceilings,
    Consumer<String> progress) {

  /** Rows of a flush that callers one by one lead to: what their ceiling is measured with. */
  public static final int SMALL_FLUSH = 130;

  public static final int LARGE_FLUSH = 1_000;

  /** A meter of this JVM, PostgreSQL, and Redis where the mode uses it. */
  public Meter meter() {
    return meter(1);
  }

  /** The same, of so many Redis servers. */
  public Meter meter(int redisServers) {
    return new Meter(
        database, mode == Mode.STREAMS ? redis.lines(servers.redisUrls(redisServers)) : List.of());
  }

  /** Deletes all data of so many Redis servers; their URLs. */
  public List<String> emptyRedis(int redisServers) {
    List<String> urls = servers.redisUrls(redisServers);
    redis.lines(urls).forEach(line -> line.command("FLUSHALL"));
    return urls;
  }

  /** What a scenario's rate is compared with; null for nothing, or when it was not measured. */
  public @Nullable Ceiling ceiling(Scenario scenario) {
    Bare bare = scenario.bare();
    return bare == null ? null : ceilings.get(bare);
  }

  /** The figures of a measurement. */
  public Result result(Scenario scenario, Measured measured, Ended ended) {
    return Result.of(
        scenario.name(), scenario.label(), mode.label(), scenario.timed(), measured, ended);
  }

  /** The figures of time in which nothing was to do. */
  public Result idle(Scenario scenario, Measured measured, Ended ended) {
    return Result.idle(scenario.name(), scenario.label(), mode.label(), measured, ended);
  }

  /** The figures of a measurement of another queue, under its name. */
  public Result result(String scenario, String label, String mode, Measured measured, Ended ended) {
    String timed = scenario.equals("latency") ? Latency.TIMED : Scenario.ACKNOWLEDGEMENT;
    return Result.of(scenario, label, mode, timed, measured, ended);
  }
}
