package dev.millpond.engine.flow;

import dev.millpond.engine.admission.Watermarks;
import dev.millpond.engine.dispatch.Barred;
import dev.millpond.engine.dispatch.PriorityClasses;
import dev.millpond.engine.flow.store.FlowStore;
import dev.millpond.engine.lifecycle.store.DatabaseException;
import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.threads.LoopThread;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The settings as this process knows them: it asks for their version every {@link #LOOK_MILLIS},
 * and reads them all when it has grown. While the database is away what was read last holds.
 * Thread-safe.
 */
public final class FlowFollower implements Supplier<FlowSettings>, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(FlowFollower.class);

  /** So that a change is followed everywhere within a second. */
  static final long LOOK_MILLIS = 500;

  /** Without an answer for so long the database counts as out of reach. */
  private static final long SILENCE_NANOS = TimeUnit.SECONDS.toNanos(5);

  private static final long END_NANOS = TimeUnit.SECONDS.toNanos(2);

  private final Transactions transactions;
  private final LoopThread thread = new LoopThread("millpond-flow", this::loop);
  private final CountDownLatch stop = new CountDownLatch(1);

  /** Held while they are read: what was read earlier never replaces what was read later. */
  private final ReentrantLock looking = new ReentrantLock();

  private volatile FlowSettings settings;
  private volatile Barred barred = Barred.NONE;
  private volatile long answeredNanos = System.nanoTime();
  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();

  public FlowFollower(Transactions transactions, PriorityClasses classes, Watermarks watermarks) {
    this.transactions = transactions;
    this.settings = FlowSettings.none(classes, watermarks);
  }

  /** Follows them from now on. */
  public void start() {
    thread.start();
  }

  @Override
  public FlowSettings get() {
    return settings;
  }

  /** The queues and kinds that are barred now. */
  public Barred barred() {
    return barred;
  }

  /** Whether the database has answered lately. */
  public boolean answered() {
    return System.nanoTime() - answeredNanos < SILENCE_NANOS;
  }

  /** Has somebody told of each change, after it holds here; must not block. */
  public void tell(Runnable listener) {
    listeners.add(listener);
  }

  /**
   * Reads them anew if they have changed.
   *
   * @throws DatabaseException when they cannot be read
   */
  public void look() {
    looking.lock();
    try {
      // Another version, not only a higher one: a database that was restored has an earlier one.
      if (transactions.read(FlowStore::version) != settings.version()) {
        FlowSettings last = settings;
        settings = transactions.call(tx -> FlowStore.read(tx, last.classes(), last.watermarks()));
        barred = settings.barred();
        log.info("flow settings are at version {}", settings.version());
        listeners.forEach(Runnable::run);
      }
      answeredNanos = System.nanoTime();
    } finally {
      looking.unlock();
    }
  }

  private void loop() {
    try {
      while (!stop.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
        try {
          look();
        } catch (DatabaseException e) {
          log.debug("flow settings were not read: {}", e.getMessage());
        }
      }
    } catch (InterruptedException e) {
      log.debug("flow settings are not followed any more");
    }
  }

  /** Without it, settings stay as they are. */
  public LoopThread thread() {
    return thread;
  }

  @Override
  public void close() {
    thread.mayEnd();
    stop.countDown();
    try {
      thread.joinUntil(System.nanoTime() + END_NANOS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
