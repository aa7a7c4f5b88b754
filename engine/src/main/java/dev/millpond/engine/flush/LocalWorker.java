package dev.millpond.engine.flush;

import dev.millpond.engine.dispatch.Batch;
import java.util.List;
import java.util.UUID;

/**
 * The worker of this process, as the writer sees it. While it has room and nothing else to do it
 * keeps batches that are made here: their rows are written as claimed by it, so after the commit
 * they need neither a stream nor a claim, and their jobs need not be loaded. Thread-safe.
 */
public interface LocalWorker {

  /**
   * Whether it will keep the batch once it is committed. Asked before the flush; a yes holds room
   * until {@link #keep} or {@link #release}.
   */
  boolean reserve(Batch batch);

  /** Takes over what it has reserved and what is now committed. Must not block. */
  void keep(Kept kept);

  /** Gives up room for batches that were not written. */
  void release(int batches);

  /**
   * Batches of a committed flush.
   *
   * @param jobs all new jobs of the flush
   * @param session that their rows name
   * @param nanos the flush took, from its first sending; the most there is when others may have
   *     them
   */
  record Kept(List<Batch> batches, List<NewJob> jobs, UUID session, long nanos) {}

  /** The worker of a process that runs no jobs: keeps nothing. */
  record Nobody() implements LocalWorker {
    @Override
    public boolean reserve(Batch batch) {
      return false;
    }

    @Override
    public void keep(Kept kept) {}

    @Override
    public void release(int batches) {}
  }
}
