package dev.millpond.engine.worker;

import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.Claimed;
import dev.millpond.engine.dispatch.Demand;
import dev.millpond.engine.dispatch.Dispatch;
import dev.millpond.engine.dispatch.DispatchException;
import dev.millpond.engine.lifecycle.store.DatabaseException;
import dev.millpond.engine.threads.LoopThread;
import dev.millpond.engine.worker.store.ClaimStore;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Claims from one way whenever the worker has room: claim, verify, load, hand over. One thread. */
final class ClaimLoop {
  private static final Logger log = LoggerFactory.getLogger(ClaimLoop.class);

  /** At streams, where a wait ends by its time alone. */
  private static final Duration WAIT = Duration.ofMillis(500);

  /** At streams after {@link #WAITS_BEFORE_REST} in vain, and at the table, where it is woken. */
  private static final Duration WAIT_LONG = Duration.ofSeconds(1);

  private static final int WAITS_BEFORE_REST = 10;

  private static final long ROOM_CHECK_MILLIS = 50;

  /** While there is no queue at all. */
  private static final long LANE_CHECK_MILLIS = 250;

  private static final long BACKOFF_BASE_MILLIS = 20;
  private static final long BACKOFF_MAX_MILLIS = 1_000;

  private final Dispatch dispatch;
  private final ClaimStore store;
  private final Worker worker;
  private final Supply supply;
  private final LoopThread thread;
  private volatile boolean stopped;
  private volatile boolean tookAll = true; // until the first claim says otherwise
  private int failures;

  /** Claims in a row that came back with nothing. */
  private int inVain;

  /** Whether the last batches could be loaded. */
  private boolean loads = true;

  /**
   * @param supply told of what this way has
   */
  ClaimLoop(Dispatch dispatch, ClaimStore store, Worker worker, Supply supply) {
    this.dispatch = dispatch;
    this.store = store;
    this.worker = worker;
    this.supply = supply;
    this.thread = new LoopThread("millpond-claim-" + dispatch.name(), this::loop);
  }

  void start() {
    thread.start();
  }

  LoopThread thread() {
    return thread;
  }

  private void loop() {
    while (!stopped) {
      try {
        if (!loads) {
          store.check(); // what is read and cannot be loaded waits for the reaper
          loads = true;
        }
        Demand demand = worker.demand(dispatch);
        if (demand == null) {
          tookAll = worker.laneCount() == 0; // or else there is no room
          worker.awaitRoom(tookAll ? LANE_CHECK_MILLIS : ROOM_CHECK_MILLIS);
          continue;
        }
        List<Claimed> claimed = dispatch.claim(demand, demand.expects() ? Duration.ZERO : waits());
        inVain = claimed.isEmpty() ? inVain + 1 : 0;
        if (!claimed.isEmpty()) {
          hand(claimed);
        }
        tookAll = supply.came(dispatch, demand, claimed); // after it: what was missed still counts
        failures = 0;
      } catch (DispatchException e) {
        log.debug("{}: {}", dispatch.name(), e.getMessage());
        supply.blocked(dispatch);
        tookAll = true; // nothing more comes this way for now
        backOff();
      } catch (DatabaseException e) {
        log.debug("{}: nothing could be loaded: {}", dispatch.name(), e.getMessage());
        backOff();
      } catch (RuntimeException e) {
        log.error("{}: claiming failed in a way it must not", dispatch.name(), e);
        backOff();
      }
    }
    store.close();
  }

  private Duration waits() {
    return dispatch.shards().isEmpty() || inVain > WAITS_BEFORE_REST ? WAIT_LONG : WAIT;
  }

  /** Loads and hands over; what cannot be loaded in time is left to the reaper. */
  private void hand(List<Claimed> claimed) {
    long until = System.nanoTime() + worker.settle().toNanos();
    List<Batch> batches = claimed.stream().map(Claimed::batch).toList();
    List<ClaimStore.Loaded> loaded = load(batches, until);
    if (loaded == null) {
      loads = false;
      log.warn("{} claimed batches could not be loaded in time", claimed.size());
      return;
    }
    worker.accept(dispatch, claimed, loaded);
  }

  private @Nullable List<ClaimStore.Loaded> load(List<Batch> batches, long untilNanos) {
    while (true) {
      try {
        return store.load(batches);
      } catch (DatabaseException e) {
        log.debug("loading {} batches: {}", batches.size(), e.getMessage());
        if (stopped || System.nanoTime() - untilNanos >= 0) {
          return null;
        }
        backOff();
      }
    }
  }

  private void backOff() {
    long ceiling = Math.min(BACKOFF_BASE_MILLIS << Math.min(failures++, 10), BACKOFF_MAX_MILLIS);
    worker.awaitStop(1 + ThreadLocalRandom.current().nextLong(ceiling));
  }

  /** Whether its last claims were given less of each lane than they had asked for. */
  boolean tookAll() {
    return tookAll;
  }

  void stop() {
    thread.mayEnd();
    stopped = true;
    dispatch.wake();
  }

  void join(long untilNanos) {
    try {
      thread.joinUntil(untilNanos);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
