package dev.millpond.engine.dispatch.store;

import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.store.DepthStore.Change;
import dev.millpond.engine.lifecycle.store.PgArray;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** Jobs that come into the depth of lanes in a transaction, and those that leave it. */
public final class DepthMoves {
  private final List<Move> moves = new ArrayList<>();

  private record Move(Lane lane, UUID job, boolean comes) {}

  /** A job has become runnable in a lane. */
  public DepthMoves comes(Lane lane, UUID job) {
    moves.add(new Move(lane, job, true));
    return this;
  }

  /** A job of a lane is neither runnable nor running any more. */
  public DepthMoves leaves(Lane lane, UUID job) {
    moves.add(new Move(lane, job, false));
    return this;
  }

  boolean isEmpty() {
    return moves.isEmpty();
  }

  /** All jobs of it, in the order of PostgreSQL. */
  List<UUID> jobs() {
    return moves.stream().map(Move::job).distinct().sorted(PgArray.UUID_ORDER).toList();
  }

  /**
   * The sum for each lane.
   *
   * @param bytes of each job's payload
   */
  List<Change> changes(Map<UUID, Integer> bytes) {
    Map<Lane, Change> sums = new LinkedHashMap<>();
    for (Move move : moves) {
      int size = bytes.getOrDefault(move.job(), 0);
      Change change =
          move.comes()
              ? new Change(move.lane(), 1, 0, size)
              : new Change(move.lane(), -1, 1, -size);
      sums.merge(move.lane(), change, Change::plus);
    }
    return sums.values().stream().filter(change -> !change.changesNothing()).toList();
  }
}
