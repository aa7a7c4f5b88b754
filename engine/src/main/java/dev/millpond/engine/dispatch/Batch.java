package dev.millpond.engine.dispatch;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Jobs of one kind that travel together: a dispatch row, and the stream entry made of it.
 *
 * @param id of the dispatch row; time-ordered, never used again
 * @param shard which stream of its queue and class
 * @param jobIds 1 to {@link #JOBS_MAX}
 * @param tokens the jobs' fencing tokens; null when all are 1
 */
@SuppressWarnings("ArrayRecordComponent") // the arrays go as they are into SQL and Redis
public record Batch(
    UUID id, Lane lane, String kind, int shard, UUID[] jobIds, int @Nullable [] tokens) {

  /** Most jobs of one batch; the schema checks it. */
  public static final int JOBS_MAX = 64;

  public int size() {
    return jobIds.length;
  }

  /** The fencing token of the i-th job. */
  public int token(int i) {
    return tokens == null ? 1 : tokens[i];
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Batch batch && id.equals(batch.id);
  }

  @Override
  public int hashCode() {
    return id.hashCode();
  }

  @Override
  public String toString() {
    return "batch " + id + " (" + jobIds.length + " " + kind + " in " + lane + ")";
  }
}
