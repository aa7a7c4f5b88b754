package dev.millpond.engine.flush.store;

import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A second connection of a lane that has lost one: what ends connections often ends several. A
 * thread of its own opens it, looks whether it lives, and opens another when it is taken or has
 * ended; some time after the last loss it closes what is left, and ends (ADR 28). Thread-safe.
 */
final class SpareConnection implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(SpareConnection.class);

  /** How long after a loss there is one. */
  private static final long KEPT_NANOS = Duration.ofSeconds(10).toNanos();

  /** Between two looks at it. */
  private static final long LOOK_NANOS = Duration.ofMillis(10).toNanos();

  /** Before another try to open one. */
  private static final long AGAIN_NANOS = Duration.ofMillis(100).toNanos();

  /** Opens a connection. */
  interface Opener {
    WriterConnection.Open open() throws SQLException;
  }

  private final String lane;
  private final Opener opener;
  private final AtomicReference<WriterConnection.@Nullable Open> spare = new AtomicReference<>();
  private final AtomicBoolean kept = new AtomicBoolean();
  private volatile @Nullable Thread keeper;
  private volatile long untilNanos = System.nanoTime();
  private volatile boolean closed;

  SpareConnection(String lane, Opener opener) {
    this.lane = lane;
    this.opener = opener;
  }

  /** There is to be one for a while. */
  void wanted() {
    untilNanos = System.nanoTime() + KEPT_NANOS;
    keepIfWanted();
  }

  /**
   * Takes it. It may have ended since it was looked at.
   *
   * @return null for none, or one that is just looked at
   */
  WriterConnection.@Nullable Open take() {
    WriterConnection.Open taken = spare.getAndSet(null);
    LockSupport.unpark(keeper);
    return taken;
  }

  private boolean isWanted() {
    return !closed && System.nanoTime() - untilNanos < 0;
  }

  /** By a virtual thread: there may be no room for another one. */
  private void keepIfWanted() {
    if (isWanted() && kept.compareAndSet(false, true)) {
      keeper = Thread.ofVirtual().name(lane + "-spare").start(this::keep);
    }
  }

  private void keep() {
    try {
      while (isWanted()) {
        WriterConnection.Open looked = spare.getAndSet(null);
        looked = looked == null ? open() : living(looked);
        spare.set(looked);
        LockSupport.parkNanos(looked == null ? AGAIN_NANOS : LOOK_NANOS);
      }
    } finally {
      WriterConnection.Open left = spare.getAndSet(null);
      if (left != null) {
        left.close();
      }
      kept.set(false);
      keepIfWanted(); // since it was last looked
    }
  }

  private WriterConnection.@Nullable Open open() {
    try {
      return opener.open();
    } catch (SQLException e) {
      log.debug("{}: no spare connection: {}", lane, e.getMessage());
      return null;
    }
  }

  private static WriterConnection.@Nullable Open living(WriterConnection.Open looked) {
    if (looked.answers()) {
      return looked;
    }
    looked.close();
    return null;
  }

  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(keeper);
  }
}
