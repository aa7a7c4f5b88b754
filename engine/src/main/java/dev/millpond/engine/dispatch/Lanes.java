package dev.millpond.engine.dispatch;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The lanes there are: the queues known so far, times the priority classes with their weights.
 * Thread-safe.
 */
public final class Lanes {
  /** Weights of the classes a fleet starts with. */
  public static final Map<String, Integer> DEFAULT_WEIGHTS = defaults();

  private final Set<String> queues = ConcurrentHashMap.newKeySet();

  private static Map<String, Integer> defaults() {
    Map<String, Integer> weights = new LinkedHashMap<>();
    weights.put("critical", 60);
    weights.put("high", 30);
    weights.put("normal", 10);
    return java.util.Collections.unmodifiableMap(weights);
  }

  /** Names of the classes, most urgent first. */
  public List<String> classes() {
    return List.copyOf(DEFAULT_WEIGHTS.keySet());
  }

  public int weight(Lane lane) {
    return DEFAULT_WEIGHTS.getOrDefault(lane.priorityClass(), 1);
  }

  public boolean knows(String queue) {
    return queues.contains(queue);
  }

  public void learn(Collection<String> names) {
    queues.addAll(names);
  }

  public List<Lane> all() {
    List<Lane> lanes = new ArrayList<>();
    for (String queue : queues) {
      for (String priorityClass : DEFAULT_WEIGHTS.keySet()) {
        lanes.add(new Lane(queue, priorityClass));
      }
    }
    return lanes;
  }
}
