package dev.millpond.engine.fleet;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A worker as its row says; what it says itself is as of its last beat.
 *
 * @param id of its session: attempts and outcomes name it; a new one after a fence
 * @param process the same for all sessions of a process
 * @param kinds that it has handlers for, sorted
 * @param slots jobs that it runs at once
 * @param busy slots that are taken
 * @param shards whose streams it reads; empty: it claims from PostgreSQL alone
 * @param startedAt of the session, by the database's clock
 * @param sinceBeat since it was last heard
 * @param lease after which it counts as lost when it is not heard
 * @param drain that it is to take nothing more; null: it is not asked to
 */
public record WorkerView(
    UUID id,
    UUID process,
    String host,
    long pid,
    State state,
    List<String> kinds,
    int slots,
    int busy,
    List<Integer> shards,
    Instant startedAt,
    Duration sinceBeat,
    Duration lease,
    @Nullable DrainOrder drain) {

  /** What it is up to. */
  public enum State {
    /** It takes jobs. */
    ACTIVE,
    /** It takes none; what it has started runs on. */
    DRAINING,
    /** It takes none, has none, and may be ended. */
    DRAINED,
    /** It was not heard for a lease, and is about to be fenced. */
    SILENT,
    /** It was fenced: what it held is or was rescued. */
    LOST
  }
}
