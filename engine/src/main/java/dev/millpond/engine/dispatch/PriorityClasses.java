package dev.millpond.engine.dispatch;

import dev.millpond.api.Limits;
import dev.millpond.engine.ConfigException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The priority classes of a fleet with the weights that hold where nobody sets others; the same in
 * all its processes. Immutable.
 *
 * @param weights by name, most urgent first
 */
public record PriorityClasses(Map<String, Integer> weights) {
  /** Each one costs every worker a stream to read for each queue and shard. */
  public static final int MOST = 16;

  /** Largest weight of a class, and of a queue. */
  public static final int WEIGHT_MAX = 10_000;

  private static final String KEY = "millpond.classes";
  private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9_.-]{0,63}");

  public static final PriorityClasses DEFAULT = of("critical", 60, "high", 30, "normal", 10);

  public PriorityClasses {
    weights = Collections.unmodifiableMap(new LinkedHashMap<>(weights));
    if (weights.isEmpty() || weights.size() > MOST) {
      throw new ConfigException(KEY, weights.size(), "1 to " + MOST + " classes");
    }
    weights.forEach((name, weight) -> {
      if (!NAME.matcher(name).matches()) {
        throw new ConfigException(KEY, name, "names of the form " + NAME);
      }
      if (weight < 1 || weight > WEIGHT_MAX) {
        throw new ConfigException(KEY, name + "=" + weight, "weights of 1 to " + WEIGHT_MAX);
      }
    });
    if (!weights.containsKey(Limits.DEFAULT_CLASS)) {
      throw new ConfigException(
          KEY, weights.keySet(), Limits.DEFAULT_CLASS + " among them: jobs that name none have it");
    }
  }

  private static PriorityClasses of(
      String a, int first, String b, int second, String c, int third) {
    Map<String, Integer> weights = new LinkedHashMap<>();
    weights.put(a, first);
    weights.put(b, second);
    weights.put(c, third);
    return new PriorityClasses(weights);
  }

  /** Most urgent first. */
  public List<String> names() {
    return List.copyOf(weights.keySet());
  }

  /** Of a class; 1 for one that only other processes know. */
  public int weight(String priorityClass) {
    return weights.getOrDefault(priorityClass, 1);
  }
}
