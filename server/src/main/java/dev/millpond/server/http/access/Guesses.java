package dev.millpond.server.http.access;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Wrong keys by the address they came from: each has {@link #MOST} of them, and gets one back each
 * {@link #ONE_BACK}. Thread-safe.
 */
final class Guesses {
  /** Wrong keys of one address before it has to wait. */
  static final int MOST = 20;

  private static final Duration ONE_BACK = Duration.ofSeconds(3);

  /** Addresses; of more, the one that was heard of longest ago is forgotten. */
  private static final int ADDRESSES_MAX = 10_000;

  /** When all of an address's guesses would be its own again, by {@link System#nanoTime}. */
  private final Map<String, Long> fullAt =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Long> eldest) {
          return size() > ADDRESSES_MAX;
        }
      };

  /** Whether an address has guesses left. */
  synchronized boolean left(String address, long nowNanos) {
    Long full = fullAt.get(network(address));
    return full == null || full - nowNanos <= (MOST - 1) * ONE_BACK.toNanos();
  }

  /**
   * Takes one of an address.
   *
   * @return how long it has to wait until it has one; zero when it had one
   */
  synchronized Duration take(String address, long nowNanos) {
    String network = network(address);
    Long before = fullAt.get(network);
    long full = before == null || before - nowNanos < 0 ? nowNanos : before;
    long after = full + ONE_BACK.toNanos();
    long over = after - nowNanos - MOST * ONE_BACK.toNanos();
    if (over > 0) {
      return Duration.ofNanos(over);
    }
    fullAt.put(network, after);
    return Duration.ZERO;
  }

  /** An address; of IPv6 its first four groups, as everybody has 2^64 of the rest. */
  static String network(String address) {
    int end = -1;
    for (int group = 0; group < 4; group++) {
      end = address.indexOf(':', end + 1);
      if (end < 0) {
        return address;
      }
    }
    return address.substring(0, end);
  }
}
