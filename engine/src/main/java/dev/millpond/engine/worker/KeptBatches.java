package dev.millpond.engine.worker;

import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.Claimed;
import dev.millpond.engine.dispatch.Claimed.Receipt;
import dev.millpond.engine.dispatch.Dispatch;
import dev.millpond.engine.dispatch.KindPace;
import dev.millpond.engine.flush.LocalWorker;
import dev.millpond.engine.flush.NewJob;
import dev.millpond.engine.worker.store.ClaimStore.Loaded;
import dev.millpond.engine.worker.store.ClaimStore.LoadedJob;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the worker keeps of the batches that its own process makes. It does so only while
 *
 * <ul>
 *   <li>every claim loop has lately been given all there was: nothing older waits that it would
 *       overtake, and as soon as something does, the weights decide again;
 *   <li>fewer than half of its slots are taken or spoken for: the rest stay open to what comes from
 *       other processes, and a job that runs long never waits here for one before it.
 * </ul>
 *
 * <p>Asked and told on the threads of the writer.
 */
final class KeptBatches implements LocalWorker {
  private static final Logger log = LoggerFactory.getLogger(KeptBatches.class);

  private static final int AHEAD_BATCHES = 16;

  private final Worker worker;
  private final Dispatch table;
  private final Session session;
  private final KindPace pace;
  private final int slots;
  private final AtomicInteger reserved = new AtomicInteger();

  /**
   * @param table the way of batches that are on no stream
   * @param slots that may be taken
   */
  KeptBatches(Worker worker, Dispatch table, Session session, KindPace pace, int slots) {
    this.worker = worker;
    this.table = table;
    this.session = session;
    this.pace = pace;
    this.slots = Math.max(1, slots / 2);
  }

  @Override
  public boolean reserve(Batch batch) {
    if (!worker.hungry(batch)) {
      return false;
    }
    double micros = batch.size() * pace.expectedMicros(batch.kind());
    int ahead = (int) Math.clamp(Room.AHEAD_MICROS / Math.max(1, micros), 1, AHEAD_BATCHES) - 1;
    if (worker.busy() + worker.waiting() + reserved.get() >= slots + ahead) {
      return false;
    }
    reserved.incrementAndGet();
    return true;
  }

  @Override
  public void release(int batches) {
    reserved.addAndGet(-batches);
  }

  /** Whether batches are on their way here. */
  boolean awaited() {
    return reserved.get() > 0;
  }

  @Override
  public void keep(Kept kept) {
    try {
      take(kept);
    } catch (RuntimeException | Error e) { // such as no memory for one more thread
      // The lane has others to tell of this commit. The reaper finds what is mislaid here.
      log.error("keeping {} batches failed in a way it must not", kept.batches().size(), e);
    } finally {
      release(kept.batches().size()); // not before: a drain waits for it
    }
  }

  private void take(Kept kept) {
    if (!session.get().equals(kept.session())) {
      // Fenced meanwhile: what the old session holds is the reaper's.
      log.info("{} batches are left to the reaper: their session is over", kept.batches().size());
    } else if (kept.nanos() > worker.settle().toNanos()) {
      // Somebody may have rescued them already; the gate of the hand-back finds out.
      kept.batches().forEach(batch -> worker.giveBack(table, claimed(batch)));
    } else {
      Map<UUID, NewJob> jobs = HashMap.newHashMap(kept.jobs().size());
      kept.jobs().forEach(job -> jobs.put(job.id(), job));
      List<Claimed> claimed = new ArrayList<>(kept.batches().size());
      List<Loaded> loaded = new ArrayList<>(claimed.size());
      for (Batch batch : kept.batches()) {
        claimed.add(claimed(batch));
        loaded.add(new Loaded(true, load(batch, jobs)));
      }
      worker.accept(table, claimed, loaded);
    }
  }

  private static Claimed claimed(Batch batch) {
    return new Claimed(batch, new Receipt.Row());
  }

  private static List<LoadedJob> load(Batch batch, Map<UUID, NewJob> jobs) {
    List<LoadedJob> loaded = new ArrayList<>(batch.size());
    for (UUID id : batch.jobIds()) {
      NewJob job = jobs.get(id);
      if (job != null) {
        loaded.add(new LoadedJob(id, 1, 1, false, job.payload(), job.options()));
      }
    }
    return loaded;
  }
}
