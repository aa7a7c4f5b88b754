package dev.millpond.engine.admission;

import dev.millpond.engine.admission.store.GateStore;
import dev.millpond.engine.dispatch.store.DepthStore;
import dev.millpond.engine.lifecycle.store.DatabaseException;
import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.threads.LoopThread;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at the gates that are closed, or may have to be, ten times a second: writes that one has
 * closed, opens one whose queue is below the low watermark, and lets those in who wait. Sleeps
 * while there is none. Thread-safe.
 */
final class GateLooks implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(GateLooks.class);
  private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  /** Looks may take a quarter of the time, however many gates are closed. */
  private static final int REST_TIMES = 3;

  private static final long END_MILLIS = 2_000;

  private final Admission admission;
  private final WaitingRoom room;
  private final Transactions transactions;
  private final Set<String> suspects = ConcurrentHashMap.newKeySet();

  /** Ends its sleep. */
  private final Semaphore news = new Semaphore(0);

  /** Ends its rest between two looks. */
  private final Semaphore urgent = new Semaphore(0);

  private final LoopThread thread;
  private volatile boolean slow;
  private volatile boolean closing;

  GateLooks(Admission admission, WaitingRoom room, Transactions transactions) {
    this.admission = admission;
    this.room = room;
    this.transactions = transactions;
    this.thread = new LoopThread("millpond-gates", true, this::loop, admission::refuseAll);
  }

  void start() {
    thread.start();
  }

  /** Something is to be looked at, from now on until it is not any more. */
  void look() {
    wake(news);
  }

  /** A gate is to be looked at now. */
  void suspect(Gate gate) {
    suspects.add(gate.queue());
    wake(urgent);
    wake(news);
  }

  /** A question took long: more changes of the depth are to be read than should be. */
  void slow() {
    slow = true;
    wake(news);
  }

  private static void wake(Semaphore semaphore) {
    if (semaphore.availablePermits() == 0) {
      semaphore.release();
    }
  }

  private void loop() {
    while (!closing) {
      long began = System.nanoTime();
      boolean again = false;
      if (slow) {
        sumUp();
      }
      for (String queue : toLookAt()) {
        again |= look(queue);
      }
      pause(again, Math.max(LOOK_NANOS, REST_TIMES * (System.nanoTime() - began)));
    }
  }

  private void pause(boolean again, long restNanos) {
    try {
      if (again) {
        boolean ignored = urgent.tryAcquire(restNanos, TimeUnit.NANOSECONDS);
      } else {
        news.acquire();
      }
      urgent.drainPermits(); // before it looks: what comes from now on wakes it again
      news.drainPermits();
    } catch (InterruptedException e) {
      log.debug("interrupted; only the close ends this");
    }
  }

  /** The leader does so once a second; where there is none, somebody has to. */
  private void sumUp() {
    slow = false;
    try {
      log.debug("summed the depth: {}", transactions.call(DepthStore::trySumUp));
    } catch (DatabaseException e) {
      log.debug("the depth was not summed: {}", e.getMessage());
    }
  }

  private Set<String> toLookAt() {
    Set<String> queues = new LinkedHashSet<>(suspects);
    suspects.removeAll(queues);
    queues.addAll(room.queues());
    admission.closedGates().forEach(gate -> queues.add(gate.queue()));
    return queues;
  }

  /** Looks at one gate; whether to look at it again. */
  private boolean look(String queue) {
    Gate gate = admission.gate(queue);
    Watermarks marks = admission.marks(queue);
    try {
      long began = System.nanoTime();
      Answer answer = transactions.read(connection -> GateStore.ask(connection, queue));
      boolean closed = answer.closed(marks);
      boolean atMark = marks.full(answer.depth()) || gate.toClose(marks);
      if (!closed && atMark) {
        began = System.nanoTime();
        answer = transactions.call(tx -> GateStore.close(tx, queue, marks));
        log.debug("queue {} is full: depth {}", queue, answer.depth());
      } else if (closed && marks.clear(answer.depth())) {
        began = System.nanoTime();
        answer = transactions.call(tx -> GateStore.open(tx, queue, marks));
        log.debug("queue {} takes jobs again: depth {}", queue, answer.depth());
      }
      gate.seen(answer, marks, began);
      if (!gate.closed()) {
        admission.letIn(queue, marks.left(answer.depth()));
      }
    } catch (DatabaseException e) {
      log.debug("the gate of {} was not looked at: {}", queue, e.getMessage());
    } catch (RuntimeException e) {
      log.error("looking at the gate of {} failed", queue, e);
    }
    return gate.closed() || room.waits(queue);
  }

  LoopThread thread() {
    return thread;
  }

  @Override
  public void close() {
    thread.mayEnd();
    closing = true;
    urgent.release();
    news.release();
    try {
      thread.join(END_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
