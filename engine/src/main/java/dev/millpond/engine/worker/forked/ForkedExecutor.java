package dev.millpond.engine.worker.forked;

import dev.millpond.api.HandlerModule;
import dev.millpond.api.JobRequest.RawJson;
import dev.millpond.api.Limits;
import dev.millpond.engine.ForkedConfig;
import dev.millpond.engine.JobLimits;
import dev.millpond.engine.threads.LoopThread;
import dev.millpond.engine.worker.forked.ProcFiles.Vitals;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs jobs in warm child processes. A child is lent to one job at a time; there are as many as
 * jobs run at once, and some that wait ready. One that has run many jobs, is old or has grown is
 * replaced between two jobs. Thread-safe.
 *
 * <p>A child knows nothing of the database and of fencing tokens: whatever it says about a run goes
 * through the attempt of this process, which decides whether it still counts. So an attempt is
 * fenced before its process is killed, and nothing that comes out of the process later can be taken
 * for its end.
 */
public final class ForkedExecutor implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ForkedExecutor.class);
  private static final Duration START_PATIENCE = Duration.ofSeconds(30);
  private static final long LOOK_MILLIS = 200;

  /** Idle children are looked at each so many times. */
  private static final int IDLE_LOOKS = 25;

  /** A child beyond the warm ones that had nothing to do for so long is not kept. */
  private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(60);

  private static final long FAILURE_WAIT_MILLIS = 100;
  private static final long FAILURE_WAIT_MAX_MILLIS = 5_000;
  private static final int FAILURE_DOUBLINGS = 6;
  private static final long CLOSE_MILLIS = 3_000;

  /** A child that has used so much of a ceiling is replaced before its next job. */
  private static final double WORN_MEMORY = 0.8;

  private static final double WORN_REST = 0.5;

  /** Room in a frame for all that is not payload or result. */
  private static final int FRAME_REST = 3 * Limits.ERROR_BYTES + 16 * 1024;

  private final ForkedConfig config;
  private final Child.Terms terms;
  private final Deque<Child> idle = new ArrayDeque<>();
  private final Set<Child> children = ConcurrentHashMap.newKeySet();
  private final AtomicInteger starting = new AtomicInteger();
  private final AtomicInteger failures = new AtomicInteger();
  private final AtomicLong started = new AtomicLong();
  private final CountDownLatch closed = new CountDownLatch(1);
  private final ExecutorService threads =
      Executors.newCachedThreadPool(
          Thread.ofPlatform().daemon().name("millpond-fork-", 0).factory());
  private final LoopThread watch = new LoopThread("millpond-fork-watch", this::watch);
  private volatile @Nullable ChildCommand command;
  private volatile List<String> modules = List.of();
  private volatile int warm;
  private final AtomicBoolean watching = new AtomicBoolean();

  /**
   * @param draining whether the worker ends
   */
  public ForkedExecutor(ForkedConfig config, JobLimits limits, BooleanSupplier draining) {
    this.config = config;
    int most = Math.max(limits.payloadBytes(), limits.resultBytes()) + FRAME_REST;
    this.terms = new Child.Terms(config, threads, draining, most, limits.resultBytes());
  }

  /**
   * Why the handlers of a module cannot run in a child process here; null when they can.
   *
   * @param module as it was made in this process; null for handlers that came without one
   */
  public static @Nullable String problem(@Nullable HandlerModule module) {
    String problem = ChildCommand.problem();
    if (problem != null) {
      return problem;
    }
    return module == null
        ? "its handler came without a HandlerModule, and a child process makes the handler anew:"
            + " give registerModule a public class that registers it"
        : ChildCommand.problem(module);
  }

  /**
   * Begins to keep children ready.
   *
   * @param all modules whose handlers may be run forked
   * @param ready those of kinds that always are; their handlers are made ahead
   */
  public void start(Set<Class<?>> all, Set<Class<?>> ready) {
    if (all.isEmpty() || ChildCommand.problem() != null) {
      return;
    }
    command = ChildCommand.of(config, List.copyOf(all));
    modules = ready.stream().map(Class::getName).sorted().toList();
    warm = modules.isEmpty() ? 0 : config.life().warm();
    topUp();
  }

  /** Children that run a job. */
  public int busy() {
    synchronized (idle) {
      return Math.max(0, children.size() - idle.size());
    }
  }

  /** Children that wait for a job. */
  public int idle() {
    synchronized (idle) {
      return idle.size();
    }
  }

  /** Processes started so far. */
  public long started() {
    return started.get();
  }

  /**
   * Runs a job and waits for its end. The attempt's stop and kill reach the child however long that
   * takes.
   *
   * @return the result as the child has written it; null for none
   * @throws ForkedFailure what the handler has thrown, or how the child has died
   * @throws InterruptedException when the attempt is stopped before a child was ready for it
   */
  public @Nullable RawJson run(ForkedJob job) throws ForkedFailure, InterruptedException {
    Child child;
    try {
      child = take();
    } catch (ForkedFailure e) {
      job.log("no child process: " + e.getMessage());
      throw e;
    }
    try {
      return child.run(job);
    } finally {
      giveBack(child);
    }
  }

  private Child take() throws ForkedFailure, InterruptedException {
    Child child = takeIdle();
    if (child == null) {
      child = startChild();
    }
    topUp();
    return child;
  }

  private @Nullable Child takeIdle() {
    synchronized (idle) {
      for (Child child = idle.pollFirst(); child != null; child = idle.pollFirst()) {
        if (child.usable()) {
          return child;
        }
        children.remove(child);
      }
      return null;
    }
  }

  private Child startChild() throws ForkedFailure, InterruptedException {
    ChildCommand how = command;
    if (how == null || closed.getCount() == 0) {
      throw ForkedFailure.handedBack("no child processes are started any more, or here");
    }
    Child child = null;
    try {
      if (watching.compareAndSet(false, true)) {
        watch.start();
      }
      child = Child.start(how, terms, modules);
      children.add(child);
      started.incrementAndGet();
      if (closed.getCount() == 0) { // and close() may have missed it
        throw ForkedFailure.handedBack("the worker ends");
      }
      child.awaitReady(START_PATIENCE);
      failures.set(0);
      return child;
    } catch (IOException e) {
      throw failed(ForkedFailure.handedBack("no child process was started: " + e.getMessage()));
    } catch (ForkedFailure e) {
      drop(child);
      throw failed(e);
    } catch (InterruptedException e) {
      drop(child);
      throw e;
    }
  }

  /** Waits a while, longer each time, so that a child that cannot start is not tried for ever. */
  private ForkedFailure failed(ForkedFailure failure) throws InterruptedException {
    int times = Math.min(failures.getAndIncrement(), FAILURE_DOUBLINGS);
    long wait = Math.min(FAILURE_WAIT_MILLIS << times, FAILURE_WAIT_MAX_MILLIS);
    if (!closed.await(0, TimeUnit.MILLISECONDS)) {
      log.error("a child process cannot be used, {} in a row: {}", times + 1, failure.getMessage());
    }
    boolean ignored = closed.await(wait, TimeUnit.MILLISECONDS);
    return failure;
  }

  private void drop(@Nullable Child child) {
    if (child != null) {
      child.kill();
      children.remove(child);
    }
  }

  private void giveBack(Child child) {
    if (!child.usable()) {
      children.remove(child);
    } else if (worn(child) || closed.getCount() == 0) {
      children.remove(child);
      child.retire();
    } else {
      synchronized (idle) {
        idle.addFirst(child);
      }
    }
    topUp();
  }

  private boolean worn(Child child) {
    if (child.jobs() >= config.life().jobs() || child.ageNanos() >= config.life().age().toNanos()) {
      return true;
    }
    Vitals vitals = child.vitals();
    return vitals != null
        && (vitals.rssBytes() > config.rssBytes() * WORN_MEMORY
            || vitals.threads() > config.ceilings().threads() * WORN_REST
            || vitals.files() > config.ceilings().files() * WORN_REST);
  }

  /** Starts what is missing of the warm children, one after the other. */
  private void topUp() {
    if (command == null || closed.getCount() == 0 || idle() >= warm) {
      return;
    }
    if (starting.compareAndSet(0, 1)) {
      threads.execute(() -> {
        try {
          while (idle() < warm && closed.getCount() > 0) {
            Child child = startChild();
            synchronized (idle) {
              idle.addLast(child);
            }
          }
        } catch (ForkedFailure e) {
          log.debug("none is kept ready for now: {}", e.getMessage());
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        } finally {
          starting.set(0);
        }
      });
    }
  }

  private void watch() {
    try {
      for (int tick = 0; !closed.await(LOOK_MILLIS, TimeUnit.MILLISECONDS); tick++) {
        try {
          lookAtAll(tick % IDLE_LOOKS == 0);
        } catch (RuntimeException e) {
          log.error("watching child processes failed in a way it must not", e);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void lookAtAll(boolean idleOnes) {
    for (Child child : children) {
      if (idleOnes || child.idleNanos() == 0) {
        lookOrEnd(child);
      }
    }
    retireIdle();
    topUp();
  }

  /** Without it nobody minds the ceilings of children. */
  public LoopThread thread() {
    return watch;
  }

  /** One that cannot be looked at is ended, and keeps nobody from looking at the others. */
  private void lookOrEnd(Child child) {
    try {
      look(child);
    } catch (RuntimeException e) {
      log.error(
          "child process {} is killed: looking at it failed in a way it must not", child.pid(), e);
      child.unwatched(e);
    }
  }

  private void look(Child child) {
    Vitals vitals = child.look();
    if (vitals == null) {
      return;
    }
    if (vitals.rssBytes() > config.rssBytes()) {
      over(child, "memory in use", vitals.rssBytes(), config.rssBytes());
    } else if (vitals.threads() > config.ceilings().threads()) {
      over(child, "threads", vitals.threads(), config.ceilings().threads());
    } else if (vitals.files() > config.ceilings().files()) {
      over(child, "open files", vitals.files(), config.ceilings().files());
    }
  }

  private static void over(Child child, String what, long value, long ceiling) {
    String text = what + " " + value + ", at most " + ceiling;
    log.warn("child process {} is killed: {}", child.pid(), text);
    child.overCeiling(text);
  }

  private void retireIdle() {
    Child child = null;
    synchronized (idle) {
      idle.removeIf(dead -> !dead.usable() && children.remove(dead));
      Child oldest = idle.peekLast();
      if (oldest != null && idle.size() > warm && oldest.idleNanos() > IDLE_NANOS) {
        child = idle.pollLast();
      }
    }
    if (child != null) {
      children.remove(child);
      child.retire();
    }
  }

  /**
   * Ends all children and waits for their end. The threads are left to end by themselves: one may
   * be about to end a child that it has just started.
   */
  @Override
  public void close() {
    watch.mayEnd();
    closed.countDown();
    synchronized (idle) {
      idle.clear();
    }
    List<Child> left = List.copyOf(children);
    left.forEach(Child::kill);
    long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(CLOSE_MILLIS);
    try {
      for (Child child : left) {
        long millis = Math.max(1, TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime()));
        if (!child.awaitGone(millis)) {
          log.warn("child process {} has not ended yet", child.pid());
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
