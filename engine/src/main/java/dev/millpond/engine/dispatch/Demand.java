package dev.millpond.engine.dispatch;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * What a worker has room for.
 *
 * @param batches at most, of each lane that may be claimed from
 * @param kinds that it knows
 * @param expects whether something is known to be there: then a claim that finds nothing does not
 *     wait, as other lanes may be wanted instead
 */
public record Demand(Map<Lane, Integer> batches, Set<String> kinds, boolean expects) {

  public Demand {
    batches = Map.copyOf(batches);
  }

  /** As many of each lane, whenever they come. */
  public static Demand ofEach(Collection<Lane> lanes, Set<String> kinds, int batches) {
    Map<Lane, Integer> all = LinkedHashMap.newLinkedHashMap(lanes.size());
    lanes.forEach(lane -> all.put(lane, batches));
    return new Demand(all, kinds, false);
  }

  public Set<Lane> lanes() {
    return batches.keySet();
  }

  /** Batches of a lane, at most. */
  public int of(Lane lane) {
    return batches.getOrDefault(lane, 0);
  }

  /**
   * Of a lane, when it lies in several places that are asked at once.
   *
   * @param batches wanted in all
   * @param places none counts as one
   */
  public static int ofPlace(int batches, int places) {
    return Math.ceilDiv(batches, Math.max(1, places));
  }
}
