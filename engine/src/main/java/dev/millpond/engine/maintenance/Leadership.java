package dev.millpond.engine.maintenance;

import dev.millpond.engine.lifecycle.store.DatabaseException;
import dev.millpond.engine.lifecycle.store.Pg;
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
 * PostgreSQL gives up there, since it takes longer, is done again with more time, and so is what
 * the role does from then on, until a minute has passed without need: it gets on, however slow its
 * statements are.
 */
final class Leadership {
  private static final Logger log = LoggerFactory.getLogger(Leadership.class);

  /** A role that has needed more time has it for so long after it last needed it. */
  private static final long PATIENT_NANOS = TimeUnit.MINUTES.toNanos(1);

  /** By how much the time for an answer grows when it was not enough. */
  private static final int MORE = 4;

  private static final long NONE = -1;

  private final Transactions usual;
  private final @Nullable Transactions prompt;
  private final Duration promptAnswer;
  private final Term term;

  /** How long an answer may take now; only changed by the role's own thread. */
  private volatile Duration answer;

  private volatile long patientUntilNanos = System.nanoTime();

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
    this(transactions, null, Pg.LONGEST_ANSWER, new Term(holder, lease));
  }

  private Leadership(
      Transactions usual, @Nullable Transactions prompt, Duration promptAnswer, Term term) {
    this.usual = usual;
    this.prompt = prompt;
    this.promptAnswer = promptAnswer;
    this.answer = promptAnswer;
    this.term = term;
  }

  /**
   * The same leadership for one role that must not be held up by a dead connection.
   *
   * @param within how long the way waits for an answer
   */
  Leadership promptly(Transactions way, Duration within) {
    return new Leadership(usual, way, within, term);
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
    if (System.nanoTime() - patientUntilNanos >= 0) {
      answer = promptAnswer;
    }
    while (true) {
      Duration within = answer;
      long began = System.nanoTime();
      try {
        T result = use.on(within.equals(promptAnswer) ? quick : quick.patient(within));
        if (System.nanoTime() - began > within.toNanos() / MORE) {
          patientUntilNanos = System.nanoTime() + PATIENT_NANOS; // less would not have been enough
        }
        return result;
      } catch (DatabaseException e) {
        if (!e.tookTooLong() || within.equals(Pg.LONGEST_ANSWER)) {
          throw e;
        }
        answer = more(within);
        patientUntilNanos = System.nanoTime() + PATIENT_NANOS;
        log.info(
            "{}: a statement was given up after {} ms, from now on there are {} s for an answer",
            Thread.currentThread().getName(),
            Pg.statementMillis(within),
            answer.toSeconds());
      }
    }
  }

  private static Duration more(Duration within) {
    Duration more = within.multipliedBy(MORE);
    return more.compareTo(Pg.LONGEST_ANSWER) < 0 ? more : Pg.LONGEST_ANSWER;
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
