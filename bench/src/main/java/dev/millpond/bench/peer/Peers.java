package dev.millpond.bench.peer;

import dev.millpond.bench.scenario.Result;
import dev.millpond.bench.scenario.Stage;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The peers of a run, and what is compared with them. */
public final class Peers {
  /** Makes the peers; they are no part of a normal build. */
  public static final String BUILD = "mvn -q -B -DskipTests -Ppeers -pl bench-peers -am package";

  private final List<Peer> peers;

  private Peers(List<Peer> peers) {
    this.peers = peers;
  }

  public static Peers none() {
    return new Peers(List.of());
  }

  /** Those on the class path, each in the configuration that proved the best. */
  public static Peers found() {
    return new Peers(ServiceLoader.load(Peer.class).stream().map(p -> p.get()).toList());
  }

  /** Those on the class path, each in all configurations that were tried, the best first. */
  public static Peers foundInAllConfigurations() {
    List<Peer> all = new ArrayList<>();
    for (Peer peer : found().peers) {
      all.add(peer);
      all.addAll(peer.tried());
    }
    return new Peers(all);
  }

  public boolean isEmpty() {
    return peers.isEmpty();
  }

  /** Versions and configurations, a line each. */
  public List<String> notes() {
    return peers.stream()
        .map(peer -> peer.name() + " " + peer.version() + ": " + peer.settings())
        .toList();
  }

  /**
   * Measures them one after the other. An error of one is a result that does not count, and no
   * reason to lose the others.
   *
   * @param titles of Millpond's scenarios that were run; a peer is asked the same, where it can be
   * @param warmUpMillis of each peer before its first measurement
   * @param stopping whether the program was told to stop: then an error ends it
   * @param told of each result
   */
  public List<Result> run(
      Stage stage,
      Set<String> titles,
      long warmUpMillis,
      BooleanSupplier stopping,
      Consumer<Result> told)
      throws InterruptedException {
    List<PeerScenario> scenarios =
        PeerScenario.all().stream().filter(s -> titles.contains(s.title())).toList();
    List<Result> results = new ArrayList<>();
    for (Peer peer : scenarios.isEmpty() ? List.<Peer>of() : peers) {
      stage.progress().accept("warming up (" + peer.name() + ")");
      try {
        PeerScenario.warmUp(stage, peer, warmUpMillis);
      } catch (SQLException | RuntimeException e) {
        throwIf(stopping, e);
        stage.progress().accept("  not warmed up: " + e);
      }
      for (PeerScenario scenario : scenarios) {
        Result result = measure(scenario, stage, peer, stopping);
        results.add(result);
        told.accept(result);
      }
    }
    return results;
  }

  private static Result measure(
      PeerScenario scenario, Stage stage, Peer peer, BooleanSupplier stopping)
      throws InterruptedException {
    try {
      return scenario.run(stage, peer);
    } catch (SQLException | RuntimeException e) {
      throwIf(stopping, e);
      return Result.failed(scenario.name(), scenario.label(), peer.name(), e);
    }
  }

  private static void throwIf(BooleanSupplier stopping, Exception error) {
    if (stopping.getAsBoolean()) {
      throw new IllegalStateException("stopped", error);
    }
  }

  /**
   * How many times the best peer each of our results is: by its rate, or for latencies by p50.
   *
   * @param ours Millpond's results
   * @param theirs results of {@link #run}; of both, those that do not count are left out
   * @return by mode and title, as {@link #key} makes it
   */
  public static Map<String, Double> compare(List<Result> ours, List<Result> theirs) {
    Map<String, List<Result>> byTitle =
        theirs.stream().filter(Result::valid).collect(Collectors.groupingBy(Peers::title));
    Map<String, Double> times = new TreeMap<>();
    for (Result result : ours.stream().filter(Result::valid).toList()) {
      Double best = best(result, byTitle.getOrDefault(title(result), List.of()));
      if (best != null) {
        times.put(key(result), best);
      }
    }
    return times;
  }

  /** Names a result among those of all modes. */
  public static String key(Result result) {
    return result.mode() + " " + title(result);
  }

  private static String title(Result result) {
    return result.scenario() + " " + result.label();
  }

  private static @Nullable Double best(Result ours, List<Result> peers) {
    if (peers.isEmpty()) {
      return null;
    }
    if (!ours.scenario().equals("latency")) {
      return ours.jobsPerSecond()
          / peers.stream().mapToDouble(Result::jobsPerSecond).max().orElse(Double.NaN);
    }
    Result.Latency mine = ours.latency();
    return mine == null
        ? null
        : Double.valueOf(
            peers.stream().mapToDouble(Peers::median).min().orElse(Double.NaN) / mine.p50Millis());
  }

  private static double median(Result result) {
    Result.Latency latency = result.latency();
    return latency == null ? Double.NaN : latency.p50Millis();
  }
}
