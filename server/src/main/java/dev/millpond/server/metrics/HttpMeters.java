package dev.millpond.server.metrics;

import dev.millpond.engine.metrics.Metric;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * How many requests there are, how long they take and what is answered. Labelled with routes, never
 * with paths: there are as many series as the API has answers. Thread-safe.
 */
public final class HttpMeters {
  /** Stands for the route of a request that has none. */
  public static final String NO_ROUTE = "_none";

  /** Combinations with series of their own; what comes later is not counted. */
  private static final int SERIES_MAX = 500;

  private static final Duration[] TIMES = {
    Duration.ofMillis(1),
    Duration.ofNanos(2_500_000),
    Duration.ofMillis(5),
    Duration.ofMillis(10),
    Duration.ofMillis(25),
    Duration.ofMillis(50),
    Duration.ofMillis(100),
    Duration.ofMillis(250),
    Duration.ofMillis(500),
    Duration.ofSeconds(1),
    Duration.ofMillis(2_500),
    Duration.ofSeconds(5),
    Duration.ofSeconds(10),
    Duration.ofSeconds(30)
  };

  private final MeterRegistry registry;
  private final Map<Sort, Timer> timers = new ConcurrentHashMap<>();

  private record Sort(String method, String route, int status) {}

  public HttpMeters(MeterRegistry registry) {
    this.registry = registry;
  }

  /**
   * Counts an answered request.
   *
   * @param method one of those that the server takes, or something that stands for the others
   * @param route as the API has it, with names for what varies
   */
  public void answered(String method, String route, int status, long nanos) {
    Sort sort = new Sort(method, route, status);
    Timer timer = timers.get(sort);
    if (timer == null) {
      if (timers.size() >= SERIES_MAX) {
        return;
      }
      timer = timers.computeIfAbsent(sort, this::timer);
    }
    timer.record(nanos, TimeUnit.NANOSECONDS);
  }

  private Timer timer(Sort sort) {
    Metric metric = ServerMetric.HTTP_REQUESTS.metric();
    return Timer.builder(metric.name())
        .description(metric.meaning())
        .tags("method", sort.method(), "route", sort.route(), "status", "" + sort.status())
        .serviceLevelObjectives(TIMES)
        .register(registry);
  }
}
