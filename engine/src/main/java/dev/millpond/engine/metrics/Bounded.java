package dev.millpond.engine.metrics;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Values of a label, up to a bound: what comes later is counted together. Thread-safe; two that
 * come at the same moment may go beyond the bound by one.
 */
final class Bounded {
  static final String OTHER = "_other";

  private final int most;
  private final Set<String> known = ConcurrentHashMap.newKeySet();

  Bounded(int most) {
    this.most = most;
  }

  /** The value itself, or {@link #OTHER}. */
  String of(String value) {
    if (known.contains(value)) {
      return value;
    }
    if (known.size() >= most) {
      return OTHER;
    }
    known.add(value);
    return value;
  }
}
