package dev.millpond.engine.admission;

import dev.millpond.api.SubmitResult.Measure;
import dev.millpond.api.SubmitResult.Refused;
import dev.millpond.engine.admission.Watermarks.Mark;
import java.time.Duration;
import java.util.OptionalDouble;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

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

  /** The same in bytes. */
  private static final long CREDIT_BYTES = 16 << 20;

  /** Jobs of a queue that are scheduled or wait; the leader counts them now and then. */
  private static final long SCHEDULED_MOST = 1_000_000;

  private static final Duration RETRY_LEAST = Duration.ofSeconds(1);

  /** Also where no job has left for a while. */
  private static final Duration RETRY_MOST = Duration.ofSeconds(60);

  private final String queue;
  private Answer last = new Answer(Amount.NONE, 0, null, false);
  private long lastAskedNanos = System.nanoTime();
  private long knownUntilNanos = System.nanoTime();
  private boolean full;

  /** What has come in here since the last answer. */
  private Amount cameIn = Amount.NONE;

  /** The high watermarks of which it was seen at one, before PostgreSQL was told. */
  private @Nullable Amount toCloseAt;

  private Amount credit = Amount.NONE;
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
    boolean atMark = marks.full(answer.depth());
    full = answer.closed(marks) || atMark;
    toCloseAt = atMark && !answer.closed(marks) ? marks.high() : null;
    knownUntilNanos = System.nanoTime() + KNOWN_NANOS;
    credit = Amount.NONE;
    cameIn = Amount.NONE;
  }

  /** Whether it is known to be closed, or to have to be. */
  synchronized boolean closed() {
    return full && knownUntilNanos - System.nanoTime() > 0;
  }

  /** Whether it was open when last asked about, and that was a moment ago. */
  synchronized boolean open() {
    return !full && knownUntilNanos - System.nanoTime() > 0;
  }

  /** Whether it was seen at a high watermark, which PostgreSQL has not been told yet. */
  synchronized boolean toClose(Watermarks marks) {
    return marks.marked() && marks.high().equals(toCloseAt);
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
  synchronized boolean spend(Amount asked) {
    if (!credit.covers(asked) || creditUntilNanos - System.nanoTime() <= 0) {
      return false;
    }
    credit = credit.minus(asked);
    cameIn = cameIn.plus(asked);
    return true;
  }

  /** Jobs come in by the answer itself. */
  synchronized void comeIn(Amount more) {
    cameIn = cameIn.plus(more);
  }

  /** How long a job is in the queue that comes in now; empty where nothing tells. */
  synchronized OptionalDouble secondsInQueue() {
    long jobs = last.depth().jobs() + cameIn.jobs();
    return knownUntilNanos - System.nanoTime() > 0 && last.capacity() > 0
        ? OptionalDouble.of(jobs / last.capacity())
        : OptionalDouble.empty();
  }

  /** Gives credit of what is left up to the high watermarks. */
  synchronized void grant(Amount left) {
    credit = new Amount(part(left.jobs(), CREDIT_JOBS), part(left.bytes(), CREDIT_BYTES));
    creditUntilNanos = System.nanoTime() + CREDIT_NANOS;
  }

  /** Of a measure without a mark there is no need to ask again. */
  private static long part(long left, long most) {
    return left == Long.MAX_VALUE ? left : Math.clamp(left / CREDIT_PART, 0, most);
  }

  /** Why a submit is refused: by the mark that takes longer to be below. */
  synchronized Refused refused(Watermarks marks) {
    Amount depth = last.depth().plus(cameIn);
    double byJobs = seconds(last.depth().jobs(), marks.jobs(), 1);
    double byBytes =
        seconds(
            last.depth().bytes(),
            marks.bytes(),
            (double) depth.bytes() / Math.max(1, depth.jobs()));
    boolean bytes =
        marks.bytes().full(depth.bytes()) != marks.jobs().full(depth.jobs())
            ? marks.bytes().full(depth.bytes())
            : byBytes > byJobs;
    Mark mark = bytes ? marks.bytes() : marks.jobs();
    return new Refused(
        queue,
        bytes ? Measure.PAYLOAD_BYTES : Measure.JOBS,
        bytes ? depth.bytes() : depth.jobs(),
        mark.high(),
        mark.low(),
        retryAfter(Math.max(byJobs, byBytes)));
  }

  /** Why a submit of scheduled jobs is refused. */
  Refused refusedScheduled() {
    return new Refused(
        queue,
        Measure.SCHEDULED_JOBS,
        SCHEDULED_MOST,
        SCHEDULED_MOST,
        SCHEDULED_MOST - SCHEDULED_MOST / 10,
        RETRY_MOST);
  }

  /**
   * When it will be below a low watermark, if jobs leave it as they do now; infinite where none do.
   *
   * @param perJob what a job takes with it
   */
  private double seconds(long depth, Mark mark, double perJob) {
    return mark.marked() ? Math.max(1, depth - mark.low()) / (last.capacity() * perJob) : 0;
  }

  private static Duration retryAfter(double seconds) {
    return seconds >= RETRY_MOST.toSeconds()
        ? RETRY_MOST
        : Duration.ofSeconds(Math.max(RETRY_LEAST.toSeconds(), (long) Math.ceil(seconds)));
  }
}
