package dev.millpond.scenarios.stage;

import dev.millpond.chaos.fleet.Wiring;
import dev.millpond.faults.Ending;
import dev.millpond.faults.Exchange;
import dev.millpond.faults.Fault;
import dev.millpond.faults.FaultProxy;
import dev.millpond.faults.Moment;
import dev.millpond.server.config.Role;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;

/**
 * Between the workers and their servers, so that nothing wakes a worker: it never hears the bell
 * (ADR 27), and is answered what it waits for on a stream when a time is up, however early it came.
 * All else passes. Thread-safe.
 */
public final class NoWakeUps implements Wiring {
  /** The answer to a waiting read comes so late. */
  private static final Duration READ = Duration.ofMillis(500);

  private final String pgUrl;
  private final String redisUrl;
  private final Map<String, FaultProxy> postgres = new ConcurrentHashMap<>();
  private final Map<String, FaultProxy> redis = new ConcurrentHashMap<>();

  public NoWakeUps(String pgUrl, String redisUrl) {
    this.pgUrl = pgUrl;
    this.redisUrl = redisUrl;
  }

  @Override
  public String pgUrl(String member) {
    return worker(member)
        ? postgres.computeIfAbsent(member, name -> deaf(FaultProxy.postgres(pgUrl))).url()
        : pgUrl;
  }

  @Override
  public String redisUrl(String member) {
    return worker(member)
        ? redis.computeIfAbsent(member, name -> late(FaultProxy.redis(redisUrl))).url()
        : redisUrl;
  }

  private static boolean worker(String member) {
    return member.startsWith(Role.WORKER.wireName());
  }

  private static FaultProxy deaf(FaultProxy proxy) {
    always(
        proxy,
        exchange -> exchange.asks("LISTEN millpond"),
        Moment.UNSENT,
        link -> {
          link.end(Ending.CLOSED);
          return false;
        });
    return proxy;
  }

  private static FaultProxy late(FaultProxy proxy) {
    always(
        proxy,
        exchange -> exchange.isCommand("XREADGROUP", "BLOCK"),
        Moment.UNANSWERED,
        link -> {
          LockSupport.parkNanos(READ.toNanos());
          return true;
        });
    return proxy;
  }

  /** A fault strikes once: so it puts the next one in its place. */
  private static void always(
      FaultProxy proxy, Predicate<Exchange> where, Moment moment, Fault.Action action) {
    proxy.add(
        Fault.next(
            where,
            moment,
            link -> {
              always(proxy, where, moment, action);
              return action.passes(link);
            }));
  }

  @Override
  public void close() {
    postgres.values().forEach(FaultProxy::close);
    redis.values().forEach(FaultProxy::close);
  }
}
