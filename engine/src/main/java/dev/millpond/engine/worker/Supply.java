package dev.millpond.engine.worker;

import dev.millpond.engine.dispatch.Claimed;
import dev.millpond.engine.dispatch.Demand;
import dev.millpond.engine.dispatch.Dispatch;
import dev.millpond.engine.dispatch.Lane;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What is known of the lanes at each way: whether there is more than was taken of them. So it is
 * with those that gave all that they were last asked for, and as far as anybody knows with those
 * that were never asked. Each way is told of by its claim loop alone. Thread-safe.
 */
final class Supply {
  private static final Known NOTHING = new Known(false, Map.of());

  private final Map<Dispatch, Known> ways = new ConcurrentHashMap<>();

  /**
   * Of one way.
   *
   * @param open whether anything comes this way
   * @param gaveAll whether a lane gave all that it was last asked for; missing when it never was
   */
  private record Known(boolean open, Map<Lane, Boolean> gaveAll) {
    boolean more(Lane lane) {
      return open && gaveAll.getOrDefault(lane, true);
    }
  }

  /** Whether a lane may have more that comes this way. */
  boolean more(Dispatch way, Lane lane) {
    Known known = ways.get(way);
    return known == null || known.more(lane);
  }

  /** Whether a lane may have more, whatever way it comes. */
  boolean more(Lane lane) {
    for (Known known : ways.values()) {
      if (known.more(lane)) {
        return true;
      }
    }
    return false;
  }

  /**
   * Takes in what came of a claim.
   *
   * @return whether no lane that was ever asked has more this way
   */
  boolean came(Dispatch way, Demand demand, List<Claimed> claimed) {
    Map<Lane, Integer> came = new HashMap<>();
    claimed.forEach(one -> came.merge(one.batch().lane(), 1, Integer::sum));
    int places = way.shards().size();
    Map<Lane, Boolean> gaveAll = new HashMap<>(ways.getOrDefault(way, NOTHING).gaveAll());
    // One of several places may have given all that it was asked for, and the others nothing.
    demand
        .batches()
        .forEach((lane, asked) ->
            gaveAll.put(lane, came.getOrDefault(lane, 0) >= Demand.ofPlace(asked, places)));
    ways.put(way, new Known(true, Map.copyOf(gaveAll)));
    return !gaveAll.containsValue(true);
  }

  /** Nothing comes this way for now. */
  void blocked(Dispatch way) {
    ways.put(way, NOTHING);
  }
}
