package dev.millpond.engine.worker;

import dev.millpond.api.HandlerOptions;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.flow.FlowSettings;
import dev.millpond.engine.flow.Pauses;
import dev.millpond.engine.flush.PayloadBytes;
import dev.millpond.engine.flush.Portion;
import dev.millpond.engine.flush.Portion.Returned;
import dev.millpond.engine.lifecycle.store.DatabaseException;
import dev.millpond.engine.submit.JobJson;
import dev.millpond.engine.threads.LoopThread;
import dev.millpond.engine.worker.HandlerRegistry.Registration;
import dev.millpond.engine.worker.store.ClaimStore.LoadedJob;
import dev.millpond.engine.worker.store.LimitedClaimStore;
import dev.millpond.engine.worker.store.LimitedClaimStore.Claim;
import dev.millpond.engine.worker.store.LimitedClaimStore.InDoubt;
import dev.millpond.engine.worker.store.LimitedClaimStore.Rules;
import dev.millpond.engine.worker.store.LimitedClaimStore.Sort;
import dev.millpond.engine.worker.store.LimitedClaimStore.Taken;
import dev.millpond.engine.worker.store.LimitedClaimStore.Waiting;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts jobs of limited queues and kinds whenever the worker has room and a limit has: no slot is
 * held by what waits. A thread of its own that rests while nothing is limited.
 *
 * <p>It looks again when a limited job of this process has ended, rows may wait, the next token is
 * due, and otherwise at short intervals while a limit is full, as others may have left it.
 */
final class LimitedLoop {
  private static final Logger log = LoggerFactory.getLogger(LimitedLoop.class);

  /** Between looks, however often it is woken. */
  private static final long LEAST_MILLIS = 5;

  /** While jobs wait for a limit that others may leave. */
  private static final long FULL_MILLIS = 50;

  /** While none wait. */
  private static final long IDLE_MILLIS = 1_000;

  private static final long FAULT_MILLIS = 250;

  private final LimitedClaimStore store;
  private final Worker worker;
  private final Session session;
  private final HandlerRegistry handlers;
  private final Supplier<FlowSettings> settings;
  private final Desk desk;
  private final LoopThread thread = new LoopThread("millpond-claim-limits", this::loop);

  /** At most one permit: it is worth looking. */
  private final Semaphore news = new Semaphore(0);

  /** Claims whose commit got no answer, by their sort. */
  private final Map<Sort, List<Taken>> doubts = new HashMap<>();

  /** Of those, what is being given back. */
  private final AtomicInteger givingBack = new AtomicInteger();

  private volatile boolean stopped;

  LimitedLoop(
      LimitedClaimStore store,
      Worker worker,
      Session session,
      HandlerRegistry handlers,
      Supplier<FlowSettings> settings,
      Desk desk) {
    this.store = store;
    this.worker = worker;
    this.session = session;
    this.handlers = handlers;
    this.settings = settings;
    this.desk = desk;
  }

  void start() {
    thread.start();
  }

  LoopThread thread() {
    return thread;
  }

  /** It may be worth looking. */
  void wake() {
    if (news.availablePermits() == 0) {
      news.release();
    }
  }

  private void loop() {
    while (!stopped) {
      long wait = FAULT_MILLIS;
      try {
        wait = resolveDoubts() ? look() : FULL_MILLIS;
      } catch (DatabaseException e) {
        log.debug("nothing was claimed under limits: {}", e.getMessage());
      } catch (RuntimeException e) {
        log.error("claiming under limits failed in a way it must not", e);
      }
      pause(wait);
    }
    store.close();
  }

  private void pause(long millis) {
    worker.awaitStop(Math.min(LEAST_MILLIS, millis));
    try {
      if (news.tryAcquire(millis, TimeUnit.MILLISECONDS)) {
        news.drainPermits();
      }
    } catch (InterruptedException e) {
      stopped = true;
    }
  }

  /** Starts what may start; how long to wait for the next look. */
  private long look() {
    FlowSettings now = settings.get();
    if (now.limits().none()) {
      return IDLE_MILLIS;
    }
    int wanted = worker.roomForLimited();
    if (wanted <= 0) {
      return FULL_MILLIS;
    }
    List<Sort> sorts = sorts(now);
    if (sorts.isEmpty()) {
      return IDLE_MILLIS;
    }
    List<Waiting> waiting = store.look(sorts);
    if (waiting.isEmpty()) {
      return IDLE_MILLIS;
    }
    int started = 0;
    boolean moved = false;
    long wait = FULL_MILLIS;
    for (Waiting each : waiting) {
      int most = (int) Math.min(wanted - started, each.jobs());
      if (most > 0) {
        Claim claim = claim(each.sort(), most);
        started += claim.taken().size();
        moved |= claim.moved();
      } else if (each.nextMillis() > 0) {
        wait = Math.min(wait, each.nextMillis());
      }
    }
    return moved ? 0 : wait;
  }

  /** What is limited, known here and not paused, the lanes that are wanted most first. */
  private List<Sort> sorts(FlowSettings now) {
    List<Sort> sorts = new ArrayList<>();
    for (Lane lane : worker.lanesByNeed()) {
      for (String kind : handlers.kinds()) {
        if (now.limits().holds(lane.queue(), kind) && !now.pauses().holds(lane.queue(), kind)) {
          sorts.add(new Sort(lane, kind));
        }
      }
    }
    return sorts;
  }

  private Claim claim(Sort sort, int most) {
    Registration<?> registration = handlers.find(sort.kind());
    if (registration == null) {
      return Claim.NOTHING;
    }
    Claim claim;
    try {
      claim = store.claim(session.get(), sort, most, rules(registration.options()));
    } catch (InDoubt e) {
      doubts.computeIfAbsent(sort, s -> new ArrayList<>()).addAll(e.taken());
      throw new IllegalStateException("a claim of " + sort + " got no answer", e);
    }
    if (!claim.taken().isEmpty()) {
      worker.acceptLimited(sort, registration, claim.taken());
    }
    return claim;
  }

  private Rules rules(HandlerOptions kind) {
    Pauses pauses = settings.get().pauses();
    return new Rules() {
      @Override
      public @Nullable String pausedTag(LoadedJob job) {
        return pauses.byTag() ? pauses.tag(JobJson.options(job.options()).tags()) : null;
      }

      @Override
      public long hardMillis(LoadedJob job) {
        return Attempt.hardTimeout(JobJson.options(job.options()), kind)
            .plus(worker.settle().multipliedBy(2)) // that it may wait for its slot
            .toMillis();
      }
    };
  }

  /**
   * What was claimed without an answer is given back. Behind the locks of the limits the earlier
   * transaction is over: if it was committed, the jobs are this session's and pass their gate; if
   * not, this writes nothing. Nothing is claimed before that is written: a job that was claimed
   * again under the same token would be given back while it runs.
   *
   * @return whether nothing is in doubt
   */
  private boolean resolveDoubts() {
    if (!doubts.isEmpty()) {
      store.await();
      doubts.forEach((sort, taken) -> taken.forEach(each -> giveBack(sort, each.job())));
      doubts.clear();
    }
    return givingBack.get() == 0;
  }

  private void giveBack(Sort sort, LoadedJob job) {
    givingBack.incrementAndGet();
    Returned back =
        new Returned(job.id(), job.token(), true, job.attempt(), PayloadBytes.of(job.payload()));
    desk.write(
        new Portion(
            sort.lane(),
            sort.kind(),
            null,
            true,
            List.of(back),
            List.of(),
            List.of(),
            false,
            List.of(),
            false,
            (portion, news) -> {
              desk.count(portion, news);
              givingBack.decrementAndGet();
              wake();
            }));
  }

  void stop() {
    thread.mayEnd();
    stopped = true;
    wake();
  }

  void join(long untilNanos) {
    try {
      thread.joinUntil(untilNanos);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
