package dev.millpond.engine.maintenance;

import dev.millpond.engine.dispatch.DispatchException;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.Lanes;
import dev.millpond.engine.dispatch.streams.ServerFigures;
import dev.millpond.engine.dispatch.streams.StreamsKeeper;
import dev.millpond.engine.maintenance.store.FiguresStore;
import dev.millpond.engine.maintenance.store.FiguresStore.Figure;
import dev.millpond.engine.maintenance.store.FiguresStore.Of;
import dev.millpond.engine.metrics.EngineMetric;
import dev.millpond.engine.metrics.EngineMetrics;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes what PostgreSQL and Redis say of themselves; by the leader alone, so that each is there
 * once. What they count becomes a rate here: a count that moves with the leader would leap.
 */
final class ServerSampler {
  private static final Logger log = LoggerFactory.getLogger(ServerSampler.class);

  /** It grows slowly, and is dear to read. */
  private static final long SIZE_EVERY_NANOS = TimeUnit.MINUTES.toNanos(1);

  /** What one look read. */
  record Result(int figures, int servers) {}

  private static final Map<Of, EngineMetric> PLAIN =
      Map.of(
          Of.CONNECTIONS_MAX, EngineMetric.POSTGRES_CONNECTIONS_MAX,
          Of.OLDEST_SECONDS, EngineMetric.POSTGRES_OLDEST,
          Of.LOCK_WAITS, EngineMetric.POSTGRES_LOCKED);

  private static final Map<Of, EngineMetric> RATES =
      Map.of(
          Of.WAL_BYTES, EngineMetric.POSTGRES_WAL,
          Of.COMMITS, EngineMetric.POSTGRES_COMMITS,
          Of.ROLLBACKS, EngineMetric.POSTGRES_ROLLBACKS);

  private final Leadership leadership;
  private final Streams streams;
  private final Lanes lanes;
  private final Published published;

  /** The counts of the last look, to make rates of. */
  private final Map<Of, Double> counts = new EnumMap<>(Of.class);

  private long countedNanos;
  private long databaseBytes;

  /** When the size of the database is read again. */
  private long sizeAtNanos = System.nanoTime();

  ServerSampler(Leadership leadership, Streams streams, Lanes lanes, EngineMetrics metrics) {
    this.leadership = leadership;
    this.streams = streams;
    this.lanes = lanes;
    this.published = new Published(metrics);
  }

  /** Samples as the leader; otherwise forgets what it published as one. */
  Result runOnce() {
    if (!leadership.held()) {
      counts.clear();
      sizeAtNanos = System.nanoTime();
      published.publish();
      return new Result(0, 0);
    }
    List<Figure> figures = leadership.read(FiguresStore::read);
    long now = System.nanoTime();
    double seconds = (now - countedNanos) / 1e9;
    for (Figure figure : figures) {
      show(figure, seconds);
    }
    countedNanos = now;
    if (now - sizeAtNanos >= 0) {
      databaseBytes = leadership.read(FiguresStore::databaseBytes);
      sizeAtNanos = now + SIZE_EVERY_NANOS;
    }
    published.add(EngineMetric.POSTGRES_BYTES, databaseBytes);
    List<Lane> all = lanes.ofFleet();
    for (StreamsKeeper keeper : streams.keepers()) {
      look(keeper, all);
    }
    published.publish();
    return new Result(figures.size(), streams.keepers().size());
  }

  private void show(Figure figure, double seconds) {
    switch (figure.of()) {
      case CONNECTIONS ->
          published.add(EngineMetric.POSTGRES_CONNECTIONS, figure.value(), figure.name());
      case LIVE_ROWS ->
          published.add(EngineMetric.POSTGRES_ROWS, figure.value(), figure.name(), "live");
      case DEAD_ROWS ->
          published.add(EngineMetric.POSTGRES_ROWS, figure.value(), figure.name(), "dead");
      case CONNECTIONS_MAX, OLDEST_SECONDS, LOCK_WAITS -> {
        EngineMetric metric = PLAIN.get(figure.of());
        if (metric != null) {
          published.add(metric, figure.value());
        }
      }
      case WAL_BYTES, COMMITS, ROLLBACKS -> {
        Double before = counts.put(figure.of(), figure.value());
        EngineMetric metric = RATES.get(figure.of());
        if (metric != null && before != null && figure.value() >= before) { // else it was reset
          published.add(metric, (figure.value() - before) / seconds);
        }
      }
    }
  }

  private void look(StreamsKeeper keeper, List<Lane> all) {
    try {
      ServerFigures figures = keeper.figures(all);
      String shard = keeper.number();
      published.add(EngineMetric.STREAM_ENTRIES, figures.entries(), shard);
      if (figures.known()) {
        published.add(EngineMetric.REDIS_MEMORY, figures.usedBytes(), shard, "used");
        published.add(EngineMetric.REDIS_MEMORY, figures.maxBytes(), shard, "max");
        published.add(EngineMetric.REDIS_CLIENTS, figures.clients(), shard);
        published.add(EngineMetric.REDIS_COMMANDS, figures.commandsPerSecond(), shard);
      }
    } catch (DispatchException e) {
      log.debug("{}: {}", keeper.name(), e.getMessage()); // its gauges are not there meanwhile
    }
  }
}
