package dev.millpond.engine.dispatch;

import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;

/** Makes batches: gives them their id and shard. Thread-safe. */
public final class BatchMaker {
  /** The two highest bits of an id's second half say that it is an id of RFC 9562. */
  private static final long VARIANT_BITS = 0xC000_0000_0000_0000L;

  private final Supplier<UUID> ids;
  private final ShardChoice shards;

  /** A job and the token it travels with. */
  public record Member(UUID jobId, int token) {}

  /**
   * @param ids time-ordered and new each time
   */
  public BatchMaker(Supplier<UUID> ids, int shards) {
    this(ids, ShardChoice.fixed(shards));
  }

  /**
   * @param ids time-ordered and new each time
   * @param shards says where each batch goes
   */
  public BatchMaker(Supplier<UUID> ids, ShardChoice shards) {
    this.ids = ids;
    this.shards = shards;
  }

  /** Makes batches of at most {@code size} members, in their order. */
  public List<Batch> split(Lane lane, String kind, List<Member> members, int size) {
    List<Batch> batches = new ArrayList<>(members.size() / size + 1);
    for (int from = 0; from < members.size(); from += size) {
      batches.add(make(lane, kind, members.subList(from, Math.min(from + size, members.size()))));
    }
    return batches;
  }

  /** Makes one batch of 1 to {@link Batch#JOBS_MAX} members. */
  public Batch make(Lane lane, String kind, List<Member> members) {
    return make(ids.get(), lane, kind, members);
  }

  /**
   * Makes a batch that takes the place of another one in its lane, or in another lane by the same
   * age: its id is a new one of the same time.
   */
  public Batch inPlaceOf(Batch old, Lane lane, List<Member> members) {
    return make(ofTheTimeOf(old.id()), lane, old.kind(), members);
  }

  /** A new id of the same time. */
  public static UUID ofTheTimeOf(UUID old) {
    long random = ThreadLocalRandom.current().nextLong() & ~VARIANT_BITS;
    return new UUID(
        old.getMostSignificantBits(), random | (old.getLeastSignificantBits() & VARIANT_BITS));
  }

  private Batch make(UUID id, Lane lane, String kind, List<Member> members) {
    UUID[] jobIds = new UUID[members.size()];
    int[] tokens = new int[jobIds.length];
    boolean first = true;
    for (int i = 0; i < jobIds.length; i++) {
      jobIds[i] = members.get(i).jobId();
      tokens[i] = members.get(i).token();
      first &= tokens[i] == 1;
    }
    return new Batch(id, lane, kind, shards.shard(id, kind), jobIds, first ? null : tokens);
  }
}
