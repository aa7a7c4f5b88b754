package dev.millpond.engine.flush.store;

import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.threads.LoopThread;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A lane of the writer: one thread, one connection, one flush after the other. There is no linger
 * timer: while a flush is under way its successor gathers.
 *
 * <p>What an error means (rules R15, R16): after a lost reply the identical flush is sent again,
 * and a violation of its marker says that it had been committed; a deadlock repeats; a unique
 * violation repeats carefully; anything else is bisected until the offender stands alone. So is
 * what our own code throws while a flush is formed or sent, once the marker says that it was not
 * committed; what it throws about a flush that was ends the thread. Should the thread be lost,
 * whoever waits is told so, and nothing more is taken.
 *
 * @param <W> a piece of work; never split between flushes
 * @param <F> a flush made of pieces, which can be sent again as it is
 */
public abstract class GroupCommit<W, F> implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(GroupCommit.class);

  /** Bytes that may wait in a lane; producers block beyond it. */
  private static final int QUEUE_BYTES = 32 << 20;

  /** A flush takes no more than this; a piece that is larger goes alone. */
  private static final int FLUSH_BYTES = 1 << 20;

  private static final int REPEATS_MAX = 20;
  private static final long BACKOFF_BASE_MILLIS = 20;
  private static final long BACKOFF_MAX_MILLIS = 1_000;

  /** "Internal error"; not one of those that are worth another try. */
  private static final String MISTAKE = "XX000";

  /** No piece. */
  private enum Sign {
    /** Wakes the lane up, so that it sees its close. */
    END,
    /** Has it connect, if it is not connected. */
    CONNECT
  }

  private final String name;
  private final WriterConnection connection;

  /** Pieces, and each {@link Sign}. */
  private final LinkedBlockingQueue<Object> queue = new LinkedBlockingQueue<>();

  private final Semaphore room = new Semaphore(QUEUE_BYTES, true);
  private final LoopThread thread;

  /** Pieces of the flush under way. The lane's thread only, like the next. */
  private final List<W> group = new ArrayList<>();

  /** The first piece of the next flush. */
  private @Nullable W carried;

  private volatile boolean closing;
  private volatile boolean up;
  private volatile boolean away;

  /** Bytes of pieces that wait for no room. */
  private final AtomicLong putBytes = new AtomicLong();

  GroupCommit(String name, WriterConnection connection) {
    this.name = name;
    this.connection = connection;
    this.thread = new LoopThread(name, false, this::loop, this::abandonAll);
  }

  public void start() {
    thread.start();
  }

  /**
   * Connects now, and not with the first flush: by then a handler may have opened all files that
   * the process may open.
   */
  public void connect() {
    queue.add(Sign.CONNECT);
  }

  /** Bytes a piece takes, roughly. */
  abstract int weight(W work);

  /**
   * Whether a piece waits for room in the queue. What a worker has to write does not: it is bounded
   * by what the worker has claimed, and it comes from threads that must not wait for this lane.
   */
  abstract boolean queued(W work);

  /** Pieces a flush takes at most, by rows. */
  abstract int rows(W work);

  abstract int rowsMax();

  /**
   * Whether the piece may come into the next flush; one that may not is not this lane's any more.
   * Asked before {@link #wanted}: its caller may still give it up.
   */
  boolean admitted(W work) {
    return true;
  }

  /** Called when all that was admitted is decided. */
  void admittedAreDecided() {}

  /** Whether the piece is still wanted. */
  abstract boolean wanted(W work);

  /** Whether the piece may share a flush with those chosen before it. */
  boolean compatible(List<W> chosen, W work) {
    return true;
  }

  /** Makes a flush that can be sent any number of times with the same effect. */
  abstract F form(List<W> group);

  /**
   * Sends a flush and commits it; on an exception nothing of it was committed, unless the
   * connection was lost.
   *
   * @param careful whether rows that exist already are passed over
   */
  abstract void send(WriterConnection connection, F flush, boolean careful) throws SQLException;

  /** Whether only {@link #recover} knows what a careful flush has written. */
  boolean readsBack() {
    return false;
  }

  /**
   * Reads what a flush has written: one whose answer was lost, or a careful one that {@link
   * #readsBack}.
   */
  abstract void recover(WriterConnection connection, F flush) throws SQLException;

  /**
   * Called once a flush is committed. Must not block.
   *
   * @param nanos it took, from its first sending
   */
  abstract void committed(F flush, long nanos);

  /** Called when a flush was committed by one of its earlier sendings, whichever. */
  void uncertain(F flush) {}

  /** Called when nothing of a flush was committed: its pieces come again in smaller ones. */
  void dropped(F flush) {}

  /** Called for a piece that can never be written. */
  abstract void rejected(W work, SQLException cause);

  /**
   * Called for a piece that nobody writes any more, since the lane's thread is lost.
   *
   * @param begun whether it may have been committed
   */
  abstract void abandoned(W work, boolean begun);

  /**
   * Hands in a piece.
   *
   * @return whether there was room within the time, and a thread that writes it
   */
  public boolean offer(W work, long timeoutNanos) throws InterruptedException {
    if (!room.tryAcquire(cost(work), timeoutNanos, TimeUnit.NANOSECONDS)) {
      return false;
    }
    if (thread.lost() || (closing && !thread.isAlive())) {
      room.release(cost(work));
      return false;
    }
    queue.add(work);
    if (thread.lost()) { // and may have left it
      abandonQueue();
    }
    return true;
  }

  /** Hands in a piece that waits for no room. */
  public void put(W work) {
    if (thread.lost()) {
      abandoned(work, false);
      return;
    }
    putBytes.addAndGet(weight(work));
    queue.add(work);
  }

  /** Bytes of pieces that were put and are not decided yet. */
  public long putBytes() {
    return putBytes.get();
  }

  /** Whether it is waiting for the database to come back. */
  public boolean away() {
    return away;
  }

  private void decided(W work) {
    if (queued(work)) {
      room.release(cost(work));
    } else {
      putBytes.addAndGet(-weight(work));
    }
  }

  private int cost(W work) {
    return queued(work) ? Math.min(weight(work), QUEUE_BYTES) : 0;
  }

  private void abandonAll() {
    group.forEach(work -> abandoned(work, true));
    if (carried != null) {
      abandoned(carried, false);
    }
    abandonQueue();
    room.release(QUEUE_BYTES); // who waits for it finds out
  }

  private void abandonQueue() {
    for (Object taken = queue.poll(); taken != null; taken = queue.poll()) {
      W work = piece(taken);
      if (work != null) {
        abandoned(work, false);
      }
    }
  }

  public LoopThread thread() {
    return thread;
  }

  /** Whether its last flush reached the database. */
  public boolean up() {
    return up;
  }

  private void loop() {
    while (true) {
      try {
        if (carried == null) {
          Object taken = closing ? queue.poll() : queue.take();
          if (taken == null) {
            break; // only closing ends the loop, after the queue is empty
          }
          if (taken == Sign.CONNECT) {
            connection.openEarly();
          }
          carried = piece(taken);
        }
      } catch (InterruptedException e) {
        continue;
      }
      if (carried == null) {
        continue;
      }
      carried = gather(carried);
      if (!group.isEmpty()) {
        flush(group);
        group.forEach(this::decided);
        group.clear();
      }
      admittedAreDecided();
    }
    connection.close();
  }

  /** What was taken out of the queue, as the piece it is; null for none. */
  @SuppressWarnings("unchecked") // nothing else is put in
  private @Nullable W piece(@Nullable Object taken) {
    return taken instanceof Sign ? null : (W) taken;
  }

  /** Fills the group from the queue; gives back the first piece that did not fit. */
  private @Nullable W gather(W first) {
    int bytes = 0;
    int rows = 0;
    W next = first;
    while (next != null) {
      if (!group.isEmpty()
          && (bytes + weight(next) > FLUSH_BYTES
              || rows + rows(next) > rowsMax()
              || !compatible(group, next))) {
        return next;
      }
      if (admitted(next) && wanted(next)) {
        group.add(next);
        bytes += weight(next);
        rows += rows(next);
      } else {
        decided(next);
      }
      next = piece(queue.poll());
    }
    return null;
  }

  private void flush(List<W> group) {
    F flush;
    try {
      flush = form(group);
    } catch (RuntimeException e) { // nothing of it was sent
      bisect(group, mistake(e));
      return;
    }
    boolean decided = false;
    SQLException refused;
    try {
      refused = write(flush);
      decided = refused == null;
    } finally {
      if (!decided) {
        dropped(flush);
      }
    }
    if (refused != null) {
      bisect(group, refused);
    }
  }

  /** Writes a flush; why it can never be written as it is, or null once it is committed. */
  private @Nullable SQLException write(F flush) {
    long started = System.nanoTime();
    boolean careful = false;
    boolean thrown = false;
    for (int failures = 0; ; failures++) {
      boolean sent = false;
      try {
        send(connection, flush, careful);
        sent = true;
        away = false;
        connection.next();
        if (careful && readsBack()) {
          readBack(flush, started); // it is committed: no error of the reading may say otherwise
        } else {
          up = true;
          committed(flush, System.nanoTime() - started);
        }
        return null;
      } catch (RuntimeException e) {
        if (sent) {
          throw e; // about what is committed
        }
        SQLException mistake = mistake(e);
        connection.lost(mistake); // how far it got is not known
        if (thrown) {
          return decide(flush, started) ? null : mistake;
        }
        thrown = true;
      } catch (SQLException e) {
        away = false; // unless this says so
        switch (Pg.fault(e)) {
          case CONNECTION -> {
            up = false;
            connection.lost(e);
            if (failures > 0) { // one lost connection is replaced at once
              away = true;
              backOff(failures);
            }
          }
          case REPEAT -> {
            if (failures >= REPEATS_MAX) {
              return e;
            }
          }
          case UNIQUE -> {
            if (violatesMarker(e)) {
              recovered(flush, started);
              return null;
            }
            if (careful) {
              return e;
            }
            careful = true;
          }
          case LOCK, DATA -> {
            return e;
          }
        }
      }
    }
  }

  /** As if PostgreSQL had refused the data. */
  private SQLException mistake(RuntimeException thrown) {
    log.error("{}: a flush failed in a way it must not", name, thrown);
    return new SQLException("a piece cannot be written: " + thrown, MISTAKE, thrown);
  }

  /** Whether one of the sendings of a flush has been committed, however long the answer takes. */
  private boolean decide(F flush, long started) {
    for (int failures = 0; ; failures++) {
      try {
        boolean written = connection.marked();
        if (written) {
          recovered(flush, started);
        } else {
          connection.next();
        }
        return written;
      } catch (SQLException e) {
        up = false;
        connection.lost(e);
        backOff(failures);
      }
    }
  }

  private void recovered(F flush, long started) {
    log.info("{}: a flush whose answer was lost had been committed", name);
    away = false;
    uncertain(flush);
    connection.next();
    readBack(flush, started);
  }

  /** Reads what became of a committed flush, however long that takes. */
  private void readBack(F flush, long started) {
    for (int failures = 0; ; failures++) {
      try {
        recover(connection, flush);
        up = true;
        committed(flush, System.nanoTime() - started);
        return;
      } catch (SQLException e) {
        up = false;
        connection.lost(e);
        backOff(failures);
      }
    }
  }

  private void bisect(List<W> group, SQLException cause) {
    if (group.size() > 1) {
      int half = group.size() / 2;
      flush(List.copyOf(group.subList(0, half)));
      flush(List.copyOf(group.subList(half, group.size())));
    } else {
      rejected(group.getFirst(), cause);
    }
  }

  static boolean violatesMarker(SQLException e) {
    ServerErrorMessage message = e instanceof PSQLException p ? p.getServerErrorMessage() : null;
    return message != null && "flush_marker_pkey".equals(message.getConstraint());
  }

  private static void backOff(int failures) {
    long ceiling = Math.min(BACKOFF_BASE_MILLIS << Math.min(failures, 10), BACKOFF_MAX_MILLIS);
    LockSupport.parkNanos(
        TimeUnit.MILLISECONDS.toNanos(1 + ThreadLocalRandom.current().nextLong(ceiling)));
  }

  /** Writes what has been handed in, then ends; a database that stays away ends the wait. */
  public void close(long timeoutMillis) {
    thread.mayEnd();
    closing = true;
    queue.add(Sign.END); // and no interrupt: the driver gives up a connection that it is opening
    boolean interrupted = false;
    try {
      thread.join(timeoutMillis);
    } catch (InterruptedException e) {
      interrupted = true;
    }
    long left = queue.stream().filter(each -> !(each instanceof Sign)).count();
    if (thread.isAlive() || left > 0) {
      log.warn("{}: {} pieces were not written before the end", name, left);
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    close(TimeUnit.SECONDS.toMillis(10));
  }
}
