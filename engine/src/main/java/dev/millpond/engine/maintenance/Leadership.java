package dev.millpond.engine.maintenance;

import dev.millpond.engine.lifecycle.store.DatabaseException;
import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.maintenance.store.LeaderStore;
import java.time.Duration;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The lease that makes one process of a fleet do the maintenance (rule R17). The epoch grows with
 * each change of hands, and every transaction of a leader begins by holding its row at its epoch: a
 * leader that has been asleep writes nothing. A session lock would survive SIGSTOP and die in
 * poolers.
 */
final class Leadership {
  private static final Logger log = LoggerFactory.getLogger(Leadership.class);

  private final Transactions transactions;
  private final UUID holder;
  private final Duration lease;
  private volatile long epoch = NONE;

  private static final long NONE = -1;

  /** Thrown inside a transaction of a leader that is none any more; rolls it back. */
  static final class LostException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    LostException() {
      super("not the leader any more");
    }
  }

  Leadership(Transactions transactions, UUID holder, Duration lease) {
    this.transactions = transactions;
    this.holder = holder;
    this.lease = lease;
  }

  boolean held() {
    return epoch != NONE;
  }

  /** Number of the present term. */
  long epoch() {
    return epoch;
  }

  /** Takes or renews the lease. */
  void runOnce() {
    long before = epoch;
    Long now = transactions.call(tx -> LeaderStore.hold(tx, holder, lease));
    epoch = now == null ? NONE : now;
    if (epoch != before) {
      log.info(epoch == NONE ? "not the leader" : "leader of epoch {}", epoch);
    }
  }

  /** The lease may have run out unnoticed: nothing more is done until it is renewed. */
  void doubt() {
    epoch = NONE;
  }

  /**
   * Runs a transaction as the leader.
   *
   * @throws LostException when the epoch has passed; nothing was written
   */
  <T extends @org.jspecify.annotations.Nullable Object> T call(Transactions.Work<T> work) {
    long mine = epoch;
    try {
      return transactions.call(tx -> {
        if (mine == NONE || !LeaderStore.confirm(tx, mine)) {
          throw new LostException();
        }
        return work.run(tx);
      });
    } catch (LostException e) {
      epoch = NONE;
      throw e;
    }
  }

  /**
   * Runs a transaction that does not begin by holding the leader's row: one that only reads, or one
   * that reads for long and confirms the epoch itself before it first writes.
   */
  <T extends @org.jspecify.annotations.Nullable Object> T unconfirmed(Transactions.Work<T> work) {
    return transactions.call(work);
  }

  /** Runs one statement that only reads; not as the leader. */
  <T extends @org.jspecify.annotations.Nullable Object> T read(Transactions.Work<T> statement) {
    return transactions.read(statement);
  }

  void giveUp() {
    if (held()) {
      try {
        transactions.call(tx -> {
          LeaderStore.release(tx, holder);
          return true;
        });
      } catch (DatabaseException e) {
        log.debug("the lease runs out by itself: {}", e.getMessage());
      }
      epoch = NONE;
    }
  }
}
