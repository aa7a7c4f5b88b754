package dev.millpond.engine.maintenance;

import dev.millpond.engine.lifecycle.store.DatabaseException;
import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.maintenance.store.LeaderStore;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The lease that makes one process of a fleet do the maintenance (rule R17). The epoch grows with
 * each change of hands, and every transaction of a leader begins by holding its row at its epoch: a
 * leader that has been asleep writes nothing. A session lock would survive SIGSTOP and die in
 * poolers.
 *
 * <p>Each role has a way of its own to the database, all under one {@link Term}: the usual pool, or
 * {@link #promptly} one that gives a dead connection up within half a lease (ADR 26). What
 * PostgreSQL gives up there, since it takes longer, is done again on the usual pool, and so is what
 * the role does in the next minute: it gets on, however slow its statements are.
 */
final class Leadership {
  private static final Logger log = LoggerFactory.getLogger(Leadership.class);

  private static final long UNHURRIED_NANOS = TimeUnit.MINUTES.toNanos(1);

  private static final long NONE = -1;

  private final Transactions usual;

  /** The usual pool, for a prompt role that takes longer. */
  private final Transactions checked;

  private final @Nullable Transactions prompt;
  private final Term term;
  private volatile long unhurriedUntilNanos = System.nanoTime();

  /** Thrown inside a transaction of a leader that is none any more; rolls it back. */
  static final class LostException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    LostException() {
      super("not the leader any more");
    }
  }

  /** What the ways have in common. */
  private static final class Term {
    final UUID holder;
    final Duration lease;
    volatile long epoch = NONE;
    private long answeredNanos = System.nanoTime();
    private long longestNanos;

    Term(UUID holder, Duration lease) {
      this.holder = holder;
      this.lease = lease;
    }

    synchronized void answered() {
      long now = System.nanoTime();
      longestNanos = Math.max(longestNanos, now - answeredNanos);
      answeredNanos = now;
    }

    synchronized long takeLongestNanos() {
      long longest = Math.max(longestNanos, System.nanoTime() - answeredNanos);
      longestNanos = 0;
      return longest;
    }
  }

  Leadership(Transactions transactions, UUID holder, Duration lease) {
    this(transactions, null, new Term(holder, lease));
  }

  private Leadership(Transactions usual, @Nullable Transactions prompt, Term term) {
    this.usual = usual;
    this.checked = usual.checked(term.lease);
    this.prompt = prompt;
    this.term = term;
  }

  /** The same leadership for one role that must not be held up by a dead connection. */
  Leadership promptly(Transactions way) {
    return new Leadership(usual, way, term);
  }

  boolean held() {
    return term.epoch != NONE;
  }

  /** Number of the present term. */
  long epoch() {
    return term.epoch;
  }

  /** Takes or renews the lease. */
  void runOnce() {
    long before = term.epoch;
    Long now = run(on -> on.alone(tx -> LeaderStore.hold(tx, term.holder, term.lease)));
    term.answered();
    term.epoch = now == null ? NONE : now;
    if (term.epoch != before) {
      log.info(term.epoch == NONE ? "not the leader" : "leader of epoch {}", term.epoch);
    }
  }

  /** The lease may have run out unnoticed: nothing more is done until it is renewed. */
  void doubt() {
    term.epoch = NONE;
  }

  /**
   * The longest time without an answer to a renewal since this was last asked. So the one who asks
   * can tell whether PostgreSQL was out of reach, or only its own connection dead.
   */
  Duration takeLongestSilence() {
    return Duration.ofNanos(term.takeLongestNanos());
  }

  /**
   * Runs a transaction as the leader.
   *
   * @throws LostException when the epoch has passed; nothing was written
   */
  <T extends @Nullable Object> T call(Transactions.Work<T> work) {
    long mine = term.epoch;
    try {
      return run(on ->
          on.call(tx -> {
            if (mine == NONE || !LeaderStore.confirm(tx, mine)) {
              throw new LostException();
            }
            return work.run(tx);
          }));
    } catch (LostException e) {
      term.epoch = NONE;
      throw e;
    }
  }

  /**
   * Runs a transaction that does not begin by holding the leader's row: one that only reads, or one
   * that reads for long and confirms the epoch itself before it first writes.
   */
  <T extends @Nullable Object> T unconfirmed(Transactions.Work<T> work) {
    return run(on -> on.call(work));
  }

  /** Runs one statement that only reads; not as the leader. */
  <T extends @Nullable Object> T read(Transactions.Work<T> statement) {
    return run(on -> on.read(statement));
  }

  /** What is done on one of the ways. */
  private interface Use<T extends @Nullable Object> {
    T on(Transactions way);
  }

  /** Promptly if this role is to be prompt, and as long as PostgreSQL is quick enough for that. */
  private <T extends @Nullable Object> T run(Use<T> use) {
    Transactions quick = prompt;
    if (quick == null) {
      return use.on(usual);
    }
    if (System.nanoTime() - unhurriedUntilNanos < 0) {
      return use.on(checked);
    }
    try {
      return use.on(quick);
    } catch (DatabaseException e) {
      if (!e.tookTooLong()) {
        throw e;
      }
      unhurriedUntilNanos = System.nanoTime() + UNHURRIED_NANOS;
      log.info(
          "{}: a statement took too long to be prompt, and is given more time for a minute",
          Thread.currentThread().getName());
      return use.on(checked);
    }
  }

  /** Ends the lease. A renewal that is under way may take it again, and has to give it up then. */
  void giveUp() {
    if (held()) {
      term.epoch = NONE; // before: a renewal that comes after says that it has taken it
      try {
        run(on ->
            on.call(tx -> {
              LeaderStore.release(tx, term.holder);
              return true;
            }));
      } catch (DatabaseException e) {
        log.debug("the lease runs out by itself: {}", e.getMessage());
      }
    }
  }
}
