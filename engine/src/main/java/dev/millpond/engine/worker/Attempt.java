package dev.millpond.engine.worker;

import static java.util.Objects.requireNonNull;

import dev.millpond.api.AttemptStoppedException;
import dev.millpond.api.HandlerOptions;
import dev.millpond.api.JobContext;
import dev.millpond.api.JobOptions;
import dev.millpond.api.JobOptions.Expiry;
import dev.millpond.api.Limits;
import dev.millpond.engine.flush.Portion.LogLine;
import dev.millpond.engine.flush.Portion.Started;
import dev.millpond.engine.retry.RetryPolicy;
import dev.millpond.engine.submit.JobJson;
import dev.millpond.engine.trace.CommitSpan;
import dev.millpond.engine.trace.RunSpan;
import dev.millpond.engine.worker.forked.ForkedJob;
import dev.millpond.engine.worker.store.ClaimStore.LoadedJob;
import dev.millpond.engine.worker.text.Texts;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * One attempt in this process. Its phase moves by compare-and-set only, so that of the handler's
 * end, the hard timeout and the hand-back exactly one comes through.
 *
 * <p>The thread that runs the handler is interrupted under this object's lock and forgets itself
 * under it, so an interrupt never hits the job that comes after.
 */
final class Attempt implements JobContext, ForkedJob {
  /** Life in this process. */
  enum Phase {
    READY,
    STARTED,
    ENDED,
    GIVEN_BACK
  }

  /** How far the run has come, by its own account. */
  record ProgressReport(int percent, @Nullable String message) {}

  private final BatchRun run;
  private final LoadedJob job;
  private final JobOptions options;
  private final Duration soft;
  private final Duration hard;
  private final RetryPolicy policy;
  private final AtomicReference<Phase> phase = new AtomicReference<>(Phase.READY);
  private final List<LogLine> lines = new ArrayList<>();
  private volatile StopReason reason = StopReason.NONE;
  private volatile long startedNanos;
  private volatile long startedMicros;
  private volatile @Nullable ProgressReport progress;
  private volatile Runner.@Nullable Shift shift;
  private @Nullable Thread thread;
  private @Nullable StopListener listener;
  private volatile long cancelledNanos;
  private volatile RunSpan span = RunSpan.NONE;
  private volatile CommitSpan commit = CommitSpan.NONE;
  private int lineCount;
  private boolean recorded;

  private Attempt(
      BatchRun run,
      LoadedJob job,
      JobOptions options,
      Duration soft,
      Duration hard,
      RetryPolicy policy) {
    this.run = run;
    this.job = job;
    this.options = options;
    this.soft = soft;
    this.hard = hard;
    this.policy = policy;
  }

  /**
   * An attempt that is ready.
   *
   * @param kind options of its handler; what the job says itself goes before them
   */
  static Attempt of(BatchRun run, LoadedJob job, HandlerOptions kind) {
    JobOptions options = JobJson.options(job.options());
    Duration soft = options.softTimeout() == null ? kind.softTimeout() : options.softTimeout();
    Duration hard = hardTimeout(options, kind);
    RetryPolicy policy =
        new RetryPolicy(
            options.maxAttempts() == null ? kind.maxAttempts() : options.maxAttempts(),
            options.backoff() == null ? kind.backoff() : options.backoff());
    return new Attempt(run, job, options, soft, hard, policy);
  }

  /** Of a job with these options. */
  static Duration hardTimeout(JobOptions options, HandlerOptions kind) {
    if (options.hardTimeout() != null) {
      return options.hardTimeout();
    }
    return options.softTimeout() != null
        ? options.softTimeout().plus(Limits.HARD_TIMEOUT_MARGIN)
        : kind.hardTimeout();
  }

  LoadedJob job() {
    return job;
  }

  BatchRun run() {
    return run;
  }

  JobOptions options() {
    return options;
  }

  RetryPolicy policy() {
    return policy;
  }

  Phase phase() {
    return phase.get();
  }

  StopReason reason() {
    return reason;
  }

  Runner.@Nullable Shift shift() {
    return shift;
  }

  /** Guarded by the run's lock: whether its end has reached the run. */
  boolean recorded() {
    return recorded;
  }

  void setRecorded() {
    recorded = true;
  }

  /** Begins on the calling thread; false when it was given back before. */
  boolean start(Runner.Shift onShift, Instant now) {
    startedNanos = System.nanoTime();
    startedMicros = micros(now);
    shift = onShift;
    synchronized (this) {
      if (!phase.compareAndSet(Phase.READY, Phase.STARTED)) {
        return false;
      }
      thread = Thread.currentThread();
      if (reason != StopReason.NONE) {
        thread.interrupt();
      }
    }
    return true;
  }

  /**
   * Holds it, as one that has started, for a run that begins within the time; false when it was
   * given back before. Its own time does not run yet.
   */
  boolean hold(Duration within, Instant now) {
    startedNanos = System.nanoTime() + within.toNanos();
    startedMicros = micros(now);
    return phase.compareAndSet(Phase.READY, Phase.STARTED);
  }

  /** Begins a held one on the calling thread; false when it has been told to stop. */
  boolean begin(Runner.Shift onShift, Instant now) {
    startedNanos = System.nanoTime();
    startedMicros = micros(now);
    synchronized (this) {
      if (reason != StopReason.NONE || phase.get() != Phase.STARTED) {
        return false;
      }
      shift = onShift;
      thread = Thread.currentThread();
    }
    return true;
  }

  /** Ends it; false when somebody else has. */
  boolean end() {
    return phase.compareAndSet(Phase.STARTED, Phase.ENDED);
  }

  /** Its handler is about to be called, within this span. */
  void traced(RunSpan within) {
    span = within;
  }

  /** Its handler has returned; what became of it is to be committed. */
  void awaitCommit() {
    commit = span.commit();
  }

  /** The span of a commit that the handler makes itself. */
  CommitSpan ownCommit() {
    return span.commit();
  }

  /**
   * What became of it is committed.
   *
   * @param counts whether it still had its job
   */
  void committed(boolean counts) {
    commit.end(counts);
    commit = CommitSpan.NONE;
  }

  /** Takes back an {@link #end()} whose transaction was rolled back. */
  void reopen() {
    phase.set(Phase.STARTED);
  }

  boolean giveBack() {
    return phase.compareAndSet(Phase.READY, Phase.GIVEN_BACK);
  }

  /** The handler has returned: its thread is no longer to be interrupted. */
  void leaveThread() {
    synchronized (this) {
      thread = null;
    }
    // The flag may be left of an interrupt of ours; it must not reach the next job.
    boolean ignored = Thread.interrupted();
  }

  /** Asks the handler to stop. */
  void stop(StopReason why) {
    synchronized (this) {
      if (why.compareTo(reason) <= 0) {
        return;
      }
      reason = why;
      if (why == StopReason.CANCELLED) {
        cancelledNanos = System.nanoTime();
      }
      if (thread != null) {
        thread.interrupt();
      }
      if (listener != null) {
        say(listener, why);
      }
    }
  }

  @Override
  public void tell(@Nullable StopListener to) {
    synchronized (this) {
      listener = to;
      if (to != null && reason != StopReason.NONE) {
        say(to, reason);
      }
    }
  }

  private static void say(StopListener to, StopReason why) {
    if (why == StopReason.LOST) {
      to.kill();
    } else {
      to.stop(why.name());
    }
  }

  /** Whether its job was cancelled so long ago and its handler runs on. */
  boolean cancelledFor(Duration patience) {
    return reason == StopReason.CANCELLED
        && System.nanoTime() - cancelledNanos > patience.toNanos();
  }

  long runNanos() {
    return System.nanoTime() - startedNanos;
  }

  long startedMicros() {
    return startedMicros;
  }

  boolean softTimeoutPassed() {
    return runNanos() > soft.toNanos();
  }

  boolean hardTimeoutPassed() {
    return runNanos() > hard.toNanos();
  }

  /** Whether it began at the job's expiry or after. */
  boolean startedTooLate() {
    Instant expiresAt = expiresAt();
    return expiresAt != null && startedMicros >= micros(expiresAt);
  }

  /** Until when the job may start; null for ever. */
  @Nullable Instant expiresAt() {
    return options.expiry() instanceof Expiry.At at ? at.expiresAt() : null;
  }

  /** How long its result is kept; 0: as long as the job. */
  long resultTtlMicros() {
    Duration ttl = options.resultTtl();
    return ttl == null ? 0 : ttl.toNanos() / 1_000;
  }

  private static long micros(Instant instant) {
    return ChronoUnit.MICROS.between(Instant.EPOCH, instant);
  }

  /** Whether it runs in a child process. */
  boolean forked() {
    return run.registration().forked();
  }

  Duration hardTimeout() {
    return hard;
  }

  @Override
  public Duration untilSoftTimeout() {
    return left(soft);
  }

  @Override
  public Duration untilHardTimeout() {
    return left(hard);
  }

  private Duration left(Duration timeout) {
    return Duration.ofNanos(Math.max(0, timeout.toNanos() - runNanos()));
  }

  @Override
  public String payload() {
    return job.payload();
  }

  @Override
  public boolean keepResult() {
    return options.keepResult();
  }

  @Override
  public String module() {
    return requireNonNull(run.registration().module()).getName();
  }

  /** As a tracked job, its deadline counted from the commit. */
  Started tracked() {
    long left = Math.max(0, hard.toMillis() - runNanos() / 1_000_000);
    return new Started(job.id(), job.token(), job.hasState(), job.attempt(), startedMicros, left);
  }

  /** Log lines since the last call. */
  List<LogLine> takeLines() {
    synchronized (lines) {
      List<LogLine> taken = List.copyOf(lines);
      lines.clear();
      return taken;
    }
  }

  @Nullable ProgressReport takeProgress() {
    return progress;
  }

  @Override
  public UUID jobId() {
    return job.id();
  }

  @Override
  public int attempt() {
    return job.attempt();
  }

  @Override
  public int leaseToken() {
    return job.token();
  }

  @Override
  public String kind() {
    return run.kind();
  }

  @Override
  public String queue() {
    return run.lane().queue();
  }

  @Override
  public @Nullable String traceparent() {
    String own = span.traceparent();
    return own == null ? RunTraces.trace(this) : own;
  }

  @Override
  public boolean stopRequested() {
    return reason != StopReason.NONE;
  }

  @Override
  public void checkStop() {
    StopReason why = reason;
    if (why != StopReason.NONE) {
      throw new AttemptStoppedException(
          "attempt " + job.attempt() + " of job " + job.id() + " was asked to stop: " + why);
    }
  }

  @Override
  public void progress(int percent, @Nullable String message) {
    if (percent < 0 || percent > 100) {
      throw new IllegalArgumentException("percent must be 0 to 100, is " + percent);
    }
    progress = new ProgressReport(percent, message == null ? null : Texts.line(message));
  }

  @Override
  public void log(String line) {
    synchronized (lines) {
      if (lineCount < Limits.LOG_LINES && phase.get() == Phase.STARTED) {
        lineCount++;
        lines.add(new LogLine(job.id(), job.token(), lineCount, run.nowMicros(), Texts.line(line)));
      }
    }
  }

  @Override
  public void completeIn(TransactionalWork work) throws Exception {
    run.completeIn(this, work);
  }
}
