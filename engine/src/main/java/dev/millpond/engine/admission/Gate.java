package dev.millpond.engine.admission;

import dev.millpond.api.SubmitResult.Refused;
import java.time.Duration;
import java.util.OptionalDouble;
import java.util.concurrent.TimeUnit;

/**
 * One queue's gate as this process knows it from its last answer, and the credit that came with it:
 * jobs that may come in without another question. Thread-safe.
 *
 * <p>The credit is an eighth of what is left up to the high watermark, for a quarter of a second:
 * eight processes that live on credit do not come beyond the mark together.
 */
final class Gate {
  /** What is known for longer is not relied on: whoever comes asks anew. */
  private static final long KNOWN_NANOS = TimeUnit.SECONDS.toNanos(1);

  private static final long CREDIT_NANOS = TimeUnit.MILLISECONDS.toNanos(250);
  private static final int CREDIT_PART = 8;

  /** As many as a flush has: no process brings more beyond the mark than by a flush. */
  private static final long CREDIT_JOBS = 2_000;

  /** Jobs of a queue that are scheduled or wait; the leader counts them now and then. */
  private static final long SCHEDULED_MOST = 1_000_000;

  private static final Duration RETRY_LEAST = Duration.ofSeconds(1);

  /** Also where no job has left for a while. */
  private static final Duration RETRY_MOST = Duration.ofSeconds(60);

  private final String queue;
  private Answer last = new Answer(0, 0, 0, false);
  private long lastAskedNanos = System.nanoTime();
  private long knownUntilNanos = System.nanoTime();
  private boolean full;

  /** Jobs that have come in here since the last answer. */
  private long cameIn;

  /** The high watermark that it was seen at, before PostgreSQL was told; 0 for none. */
  private long toCloseAt;

  private long credit;
  private long creditUntilNanos = System.nanoTime();

  Gate(String queue) {
    this.queue = queue;
  }

  String queue() {
    return queue;
  }

  /**
   * Takes an answer in, unless a later one is known; there is no credit before {@link #grant}.
   *
   * @param askedNanos when it was asked for: lanes and looks overtake each other
   */
  synchronized void seen(Answer answer, Watermarks marks, long askedNanos) {
    if (askedNanos - lastAskedNanos < 0) {
      return;
    }
    lastAskedNanos = askedNanos;
    last = answer;
    boolean atMark = marks.marked() && answer.depth() >= marks.high();
    full = answer.closed(marks) || atMark;
    toCloseAt = atMark && !answer.closed(marks) ? marks.high() : 0;
    knownUntilNanos = System.nanoTime() + KNOWN_NANOS;
    credit = 0;
    cameIn = 0;
  }

  /** Whether it is known to be closed, or to have to be. */
  synchronized boolean closed() {
    return full && knownUntilNanos - System.nanoTime() > 0;
  }

  /** Whether it was open when last asked about, and that was a moment ago. */
  synchronized boolean open() {
    return !full && knownUntilNanos - System.nanoTime() > 0;
  }

  /** Whether it was seen at the high watermark, which PostgreSQL has not been told yet. */
  synchronized boolean toClose(Watermarks marks) {
    return marks.marked() && toCloseAt == marks.high();
  }

  /** Whether there are scheduled jobs enough, as last heard. */
  synchronized boolean scheduledFull() {
    return last.scheduledFull() && knownUntilNanos - System.nanoTime() > 0;
  }

  /** Whether anything is known of it. */
  synchronized boolean known() {
    return knownUntilNanos - System.nanoTime() > 0;
  }

  /** Lets jobs in on credit; false when that does not go so far. */
  synchronized boolean spend(int jobs) {
    if (credit < jobs || creditUntilNanos - System.nanoTime() <= 0) {
      return false;
    }
    credit -= jobs;
    cameIn += jobs;
    return true;
  }

  /** Jobs come in by the answer itself. */
  synchronized void comeIn(long jobs) {
    cameIn += jobs;
  }

  /** How long a job is in the queue that comes in now; empty where nothing tells. */
  synchronized OptionalDouble secondsInQueue() {
    long jobs = last.depth() + cameIn;
    return knownUntilNanos - System.nanoTime() > 0 && last.drainPerSecond() > 0
        ? OptionalDouble.of(jobs / last.drainPerSecond())
        : OptionalDouble.empty();
  }

  /** Gives credit of what is left up to the high watermark. */
  synchronized void grant(long left) {
    credit = Math.clamp(left / CREDIT_PART, 0, CREDIT_JOBS);
    creditUntilNanos = System.nanoTime() + CREDIT_NANOS;
  }

  /** Why a submit is refused. */
  synchronized Refused refused(Watermarks marks) {
    return new Refused(
        queue, last.depth() + cameIn, marks.high(), marks.low(), false, retryAfter(marks));
  }

  /** Why a submit of scheduled jobs is refused. */
  Refused refusedScheduled() {
    return new Refused(
        queue,
        SCHEDULED_MOST,
        SCHEDULED_MOST,
        SCHEDULED_MOST - SCHEDULED_MOST / 10,
        true,
        RETRY_MOST);
  }

  /** When it will be below the low watermark, if jobs leave it as they do now. */
  private Duration retryAfter(Watermarks marks) {
    long jobs = Math.max(1, last.depth() - marks.low());
    double seconds = jobs / last.drainPerSecond(); // infinite where none leave
    return seconds >= RETRY_MOST.toSeconds()
        ? RETRY_MOST
        : Duration.ofSeconds(Math.max(RETRY_LEAST.toSeconds(), (long) Math.ceil(seconds)));
  }
}
