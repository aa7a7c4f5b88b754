package dev.millpond.engine.dispatch.postgres;

import dev.millpond.engine.lifecycle.store.DatabaseException;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.threads.LoopThread;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends the rest of those that look for work in PostgreSQL, here and in other processes: a NOTIFY
 * after a commit that left something for them, rows that wait or a job that is due soon (ADR 27).
 *
 * <p>A hint, like Redis: whoever rests looks by itself each second all the same. NOTIFY takes a
 * lock of the whole server at its commit, so a process rings at most once in {@link #QUIET_NANOS},
 * and not where it has just heard another; whoever hears it stays awake for {@link #AWAKE_NANOS},
 * in which it sees what was written meanwhile. Never on a writer's connection or thread.
 * Thread-safe.
 */
public final class Bell implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Bell.class);

  /** Nothing is rung for so long after a ring, of this process or one that it has heard. */
  private static final long QUIET_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** How long to look often after it rang: by two seconds longer than it may be quiet. */
  public static final long AWAKE_NANOS = TimeUnit.SECONDS.toNanos(3);

  /** Between two looks of those that rest while it can be heard: what a lost ring costs. */
  public static final long REST_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** Rings of many processes that come closer than this are heard as one. */
  private static final long APART_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  /** Between two checks that its connection is alive. */
  private static final int CHECK_MILLIS = 10_000;

  private static final int CHECK_SECONDS = 5;

  /**
   * After this, or up to three times as much, it listens anew and has to hear itself again: that a
   * connection is alive does not say that notifications still come over it.
   */
  private static final Duration ANEW = Duration.ofMinutes(10);

  /** How long its own voice may take to come back. */
  private static final int ECHO_MILLIS = 5_000;

  /** So often in a row nothing may come back, as from a busy server, before it tries seldom. */
  private static final int MISSES_MOST = 3;

  /** After a connection that was lost, or on which nothing is heard, as behind some poolers. */
  private static final long AGAIN_LEAST_MILLIS = 250;

  private static final long AGAIN_MOST_MILLIS = 30_000;

  /** How long both threads together may take to end; one that opens a connection takes longer. */
  private static final long END_NANOS = TimeUnit.SECONDS.toNanos(2);

  private static final int LOCK_TIMEOUT_MILLIS = 250;
  private static final int ANSWER_SECONDS = 20;

  private static final String LISTEN = "LISTEN millpond";

  /** Not durable, or the lock that NOTIFY takes on the whole server would wait for the disk. */
  private static final String NOTIFY =
      "SELECT set_config('synchronous_commit', 'off', true), pg_notify('millpond', ?)";

  private static final String RING = "";

  private final String url;
  private final Transactions transactions;
  private final Runnable heard;
  private final Duration anew;
  private final String name = UUID.randomUUID().toString();
  private final LoopThread ringer = new LoopThread("millpond-bell", this::ringLoop);
  private final LoopThread listener = new LoopThread("millpond-listen", this::listenLoop);
  private boolean listening;
  private volatile boolean asked;
  private volatile long quietUntilNanos = System.nanoTime();
  private volatile boolean hears;
  private volatile boolean closed;
  private volatile @Nullable Connection connection;

  /**
   * @param transactions over which it rings
   * @param heard called for each ring, this process's own as well; must not block
   */
  public Bell(String url, Transactions transactions, Runnable heard) {
    this(url, transactions, heard, ANEW);
  }

  /**
   * @param anew after which it listens anew, or up to three times as much
   */
  Bell(String url, Transactions transactions, Runnable heard, Duration anew) {
    this.url = url;
    this.transactions = transactions;
    this.heard = heard;
    this.anew = anew;
  }

  /** Lets this process ring. */
  public void start() {
    ringer.start();
  }

  /** Lets this process hear; once, by a connection of its own. */
  public synchronized void listen() {
    if (!listening) {
      listening = true;
      listener.start();
    }
  }

  /** Without them nothing is rung, or heard. */
  public List<LoopThread> threads() {
    return List.of(ringer, listener);
  }

  /**
   * Whether it would be heard, as far as known. One that cannot be heard must be looked for more
   * often.
   */
  public boolean hears() {
    return hears && listener.isAlive();
  }

  /** Rings after a commit, soon, unless it just rang; does not wait for it. */
  public void ring() {
    if (!asked && System.nanoTime() - quietUntilNanos >= 0) {
      asked = true;
      ringer.unpark();
    }
  }

  private void ringLoop() {
    while (!closed) {
      long quiet = quietUntilNanos - System.nanoTime();
      if (!asked) {
        LockSupport.park(this);
      } else if (quiet > 0) {
        LockSupport.parkNanos(this, quiet); // asked for while the last one was under way
      } else {
        ringNow();
      }
    }
    if (asked && System.nanoTime() - quietUntilNanos >= 0) {
      ringNow(); // for what it has given back at its end
    }
  }

  private void ringNow() {
    asked = false; // before: whoever asks from here on may have been too late for this one
    try {
      say(RING);
      // Whoever asks from here on is seen by those that this keeps awake.
      keepQuiet();
    } catch (DatabaseException e) {
      log.debug("not rung: {}", e.getMessage());
      ringSoon();
    } catch (RuntimeException e) {
      log.error("the bell failed in a way it must not", e);
      ringSoon();
    }
  }

  private void ringSoon() {
    quietUntilNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(AGAIN_LEAST_MILLIS);
    asked = true;
  }

  private void keepQuiet() {
    quietUntilNanos = System.nanoTime() + QUIET_NANOS;
  }

  private void say(String what) {
    transactions.alone(connection -> {
      try (PreparedStatement statement = connection.prepareStatement(NOTIFY)) {
        statement.setString(1, what);
        return statement.execute();
      }
    });
  }

  private void listenLoop() {
    long again = AGAIN_LEAST_MILLIS;
    int misses = 0;
    while (!closed) {
      try (Connection open = Pg.hot(url, "millpond-listen", LOCK_TIMEOUT_MILLIS, ANSWER_SECONDS)) {
        connection = open;
        if (closed) { // and may not have seen the connection
          break;
        }
        try (Statement statement = open.createStatement()) {
          statement.execute(LISTEN);
        }
        say(name); // over another connection: some poolers give LISTEN to one and forget it
        if (hearsItself(open.unwrap(PGConnection.class))) {
          misses = 0;
          again = AGAIN_LEAST_MILLIS;
          hears = true;
          tell(); // what rang before was not heard
          hear(open);
        } else if (++misses >= MISSES_MOST) {
          again = AGAIN_MOST_MILLIS;
          log.debug("notifications do not come through, so roles look more often");
        }
      } catch (SQLException | DatabaseException e) {
        log.debug("the bell is not heard: {}", e.getMessage());
      } catch (RuntimeException e) {
        log.error("listening failed in a way it must not", e);
      }
      if (hears) {
        hears = false;
        tell();
      }
      if (!closed) {
        LockSupport.parkNanos(
            this,
            TimeUnit.MILLISECONDS.toNanos(
                1 + again / 2 + ThreadLocalRandom.current().nextLong(again)));
        again = Math.min(2 * again, AGAIN_MOST_MILLIS);
      }
    }
  }

  private boolean hearsItself(PGConnection line) throws SQLException {
    long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(ECHO_MILLIS);
    while (!closed) {
      long left = TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime());
      if (left <= 0) {
        return false;
      }
      if (said(line, (int) left).contains(name)) {
        return true;
      }
    }
    return false;
  }

  /** Returns when the connection is not alive any more, or it is time to listen anew. */
  private void hear(Connection open) throws SQLException {
    PGConnection line = open.unwrap(PGConnection.class);
    long least = anew.toNanos();
    long until = System.nanoTime() + least + ThreadLocalRandom.current().nextLong(2 * least);
    while (!closed && System.nanoTime() - until < 0) {
      long left = TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime());
      List<String> said = said(line, Math.clamp(left, 1, CHECK_MILLIS));
      if (said.contains(RING)) {
        keepQuiet(); // the others have heard it as well
        tell();
        LockSupport.parkNanos(this, APART_NANOS);
      }
      if (said.isEmpty() && !open.isValid(CHECK_SECONDS)) {
        return;
      }
    }
  }

  private void tell() {
    try {
      heard.run();
    } catch (RuntimeException e) {
      log.error("what the bell is heard for failed in a way it must not", e);
    }
  }

  /** What is said within the time. */
  private static List<String> said(PGConnection line, int millis) throws SQLException {
    PGNotification[] come = line.getNotifications(millis);
    List<String> said = new ArrayList<>();
    if (come != null) {
      for (PGNotification each : come) {
        said.add(each.getParameter());
      }
    }
    return said;
  }

  @Override
  public void close() {
    ringer.mayEnd();
    listener.mayEnd();
    closed = true;
    ringer.unpark();
    listener.unpark();
    Connection open = connection;
    if (open != null) {
      try {
        Executor here = Runnable::run;
        open.abort(here); // it waits for a notification
      } catch (SQLException e) {
        log.debug("the bell's connection: {}", e.getMessage());
      }
    }
    long until = System.nanoTime() + END_NANOS;
    try {
      ringer.joinUntil(until);
      listener.joinUntil(until);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
