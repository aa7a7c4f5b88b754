package dev.millpond.engine.maintenance;

import dev.millpond.engine.flow.FlowSettings;
import dev.millpond.engine.flow.Pause;
import dev.millpond.engine.flow.Pause.Scope;
import dev.millpond.engine.flow.store.LimitStore;
import dev.millpond.engine.flow.store.LimitStore.Standing;
import dev.millpond.engine.metrics.EngineMetric;
import dev.millpond.engine.metrics.EngineMetrics;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Publishes how far limits are used, and what is paused; by the leader alone, so that each is there
 * once. Asks the database only while something is limited.
 */
final class FlowSampler {
  /** Tags have no bound of their own: so many that are paused have a series each. */
  private static final int TAGS_MAX = 50;

  private static final String OTHER = "_other";

  /** What was sampled. */
  record Result(int limits, int pauses) {}

  private record Key(EngineMetric metric, Scope scope, String name) {}

  /** Counting who holds limits may take this share of the time. */
  private static final int COUNT_SHARE = 20;

  private final Leadership leadership;
  private final Supplier<FlowSettings> flow;
  private final EngineMetrics metrics;
  private final Published published;
  private List<Standing> counted = List.of();
  private long countAtNanos = System.nanoTime();

  FlowSampler(Leadership leadership, Supplier<FlowSettings> flow, EngineMetrics metrics) {
    this.leadership = leadership;
    this.flow = flow;
    this.metrics = metrics;
    this.published = new Published(metrics);
  }

  /** Samples as the leader; otherwise forgets what it published as one. */
  Result runOnce() {
    if (!leadership.held()) {
      published.publish();
      return new Result(0, 0);
    }
    FlowSettings now = flow.get();
    List<Standing> limits = now.limits().none() ? List.of() : standings();
    Map<Key, Double> values = new HashMap<>(); // those without a series of their own are added up
    for (Standing limit : limits) {
      String name = name(limit.scope(), limit.name());
      if (limit.concurrency() != null) {
        add(values, EngineMetric.LIMIT_RUNNING, limit.scope(), name, (double) limit.running());
        add(values, EngineMetric.LIMIT_CONCURRENCY, limit.scope(), name, limit.concurrency());
      }
      if (limit.tokens() != null) {
        add(values, EngineMetric.LIMIT_TOKENS, limit.scope(), name, limit.tokens());
      }
    }
    int tags = 0;
    for (Pause pause : now.pauses().all()) {
      boolean own = pause.scope() != Scope.TAG || tags++ < TAGS_MAX;
      String name = own ? name(pause.scope(), pause.name()) : OTHER;
      add(values, EngineMetric.PAUSED, pause.scope(), name, 1);
    }
    values.forEach((key, value) ->
        published.add(key.metric(), (double) value, key.scope().word(), key.name()));
    published.publish();
    return new Result(limits.size(), now.pauses().all().size());
  }

  /** As counted a moment ago where counting takes long, as with a snapshot that is pinned. */
  private List<Standing> standings() {
    long began = System.nanoTime();
    if (began - countAtNanos >= 0) {
      leadership.call(LimitStore::goOn);
      counted = leadership.read(LimitStore::standings);
      countAtNanos = began + COUNT_SHARE * (System.nanoTime() - began);
    }
    return counted;
  }

  private static void add(
      Map<Key, Double> values, EngineMetric metric, Scope scope, String name, double value) {
    values.merge(new Key(metric, scope, name), value, Double::sum);
  }

  private String name(Scope scope, String name) {
    return switch (scope) {
      case QUEUE -> metrics.queue(name);
      case KIND -> metrics.kind(name);
      case TAG -> name;
    };
  }
}
