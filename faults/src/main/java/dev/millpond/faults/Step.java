package dev.millpond.faults;

import java.util.function.Predicate;

/**
 * The steps of Millpond's protocol as they are seen on the wire: the requests at which a process is
 * struck. They are told by pieces of the engine's SQL; the engine's crash tests show that each is
 * still found.
 */
public enum Step implements Predicate<Exchange> {
  /** Rows are committed, whichever they are. */
  COMMIT(Exchange::commitsRows),
  /** Jobs without keys are committed. */
  SUBMIT(e -> e.commits("INSERT INTO millpond.job ")),
  /** Jobs with keys are committed. */
  SUBMIT_KEYED(e -> e.commits("INSERT INTO millpond.idempotency_key")),
  /** A batch is put on its stream. */
  XADD(true, e -> e.isCommand("XADD")),
  /** Waiting rows are marked as sent. */
  FEED(e -> e.commits("UPDATE millpond.dispatch SET sent_at")),
  /** Entries are read. A read that found none is no answer. */
  READ(true, e -> e.isCommand("XREADGROUP") && !e.answer().startsWith("*-1")),
  /** The reader of a batch says that it is the first. */
  HINT(true, e -> e.isCommand("SET", ":claim:")),
  /** Rows of the class of the tests are claimed without Redis. */
  CLAIM(e -> e.commits("UPDATE millpond.dispatch SET claimed_by", "normal")),
  /** A claimed batch is verified and loaded. */
  LOAD(e -> e.asks("SELECT id, payload, options FROM millpond.job")),
  /** Outcomes are committed. */
  OUTCOME(e -> e.commits("INSERT INTO millpond.job_outcome")),
  /** The first outcomes of a batch are committed while the rest runs on. */
  PART(e -> e.commits("FOR KEY SHARE", "INSERT INTO millpond.job_outcome")),
  /** A failed attempt is scheduled again. */
  RETRY(e -> e.commits("'scheduled', 'retry'")),
  /** A job becomes a dead letter. */
  BURY(e -> e.commits("INSERT INTO millpond.dead_letter")),
  /** What runs on is tracked, what has not started is given back. */
  DISSOLVE(e -> e.commits("'running', u.token")),
  /** A batch is given back as it came. */
  GIVE_BACK(e -> e.commits("DELETE FROM millpond.dispatch", "INSERT INTO millpond.dispatch")),
  /** An attempt that was stopped is given back. */
  HAND_BACK(e -> e.commits("'runnable', u.token + 1")),
  /** A handler's own transaction. */
  EFFECT(e -> e.commits("INSERT INTO public.effect")),
  /** An ended batch's entry leaves the stream. */
  XDEL(true, e -> e.isCommand("XDEL")),
  /** An ended batch's entry leaves the pending list. */
  XACK(true, e -> e.isCommand("XACK")),
  /** Silent sessions are fenced. */
  FENCE(e -> e.commits("SET fenced = true")),
  /** Entries that were left are found. */
  FIND_LEFT(true, e -> e.isCommand("XPENDING") && e.answer().matches(Step.ENTRIES)),
  /** Batches of a lost worker are dispatched anew. */
  RESCUE(e -> e.commits("DELETE FROM millpond.dispatch", "INSERT INTO millpond.dispatch")),
  /** Tracked jobs of a lost worker are dispatched anew. */
  RESCUE_RUNNING(e -> e.commits("FOR UPDATE OF s SKIP LOCKED", "INSERT INTO millpond.dispatch")),
  /** Jobs whose time has come are dispatched. */
  PROMOTE(e -> e.commits("run_at = NULL", "INSERT INTO millpond.dispatch")),
  /** Jobs are claimed under a limit. */
  CLAIM_LIMITED(e -> e.commits("UPDATE millpond.flow_limit l")),
  /** Jobs of a paused tag are put aside. */
  PUT_ASIDE(e -> e.commits("'waiting', 'pause'")),
  /** Jobs of a tag that is paused no more are dispatched. */
  RESUME(e -> e.commits("paused_tag = NULL", "INSERT INTO millpond.dispatch")),
  /** Run time or class of a job that has not started is changed. */
  CHANGE(e -> e.commits("CASE WHEN excluded.phase")),
  /** Expired jobs that nobody has taken are ended. */
  EXPIRE(e -> e.commits("JOIN millpond.job_expiry")),
  /** A worker ends a job that had expired. */
  END_EXPIRED(e -> e.commits("INSERT INTO millpond.job_outcome", "was not to start")),
  /** A result is committed that lives shorter than its job. */
  RESULT(e -> e.commits("INSERT INTO millpond.job_result")),
  /** Rows are kept out of a day that is to be dropped. */
  SEAL(e -> e.asks("IN SHARE MODE NOWAIT")),
  /** The tables are locked for the drop of a day. */
  LOCK_TABLES(e -> e.asks("IN ACCESS EXCLUSIVE MODE")),
  /** The day's partitions are taken out of their tables. */
  DETACH(e -> e.asks("DETACH PARTITION")),
  /** The survivors' rows are put back. */
  MOVE(e -> e.asks("INSERT INTO millpond.job_log SELECT * FROM millpond.job_log_p")),
  /** The drop of a day is committed. */
  DROP_DAY(e -> e.commits("DROP TABLE millpond.job_p")),
  /** A dead job gets a new life. */
  REDRIVE(e -> e.commits("SET lease_token = lease_token + 1"));

  /** An answer to XPENDING with entries. */
  static final String ENTRIES = "(?s)\\*[1-9].*";

  private final boolean inRedis;

  @SuppressWarnings("ImmutableEnumChecker") // functions without a state
  private final Predicate<Exchange> where;

  Step(Predicate<Exchange> where) {
    this(false, where);
  }

  Step(boolean inRedis, Predicate<Exchange> where) {
    this.inRedis = inRedis;
    this.where = where;
  }

  /** Whether it is a command of Redis. */
  public boolean inRedis() {
    return inRedis;
  }

  @Override
  public boolean test(Exchange exchange) {
    return where.test(exchange);
  }
}
