package dev.millpond.engine.submit;

import dev.millpond.api.JobView;
import dev.millpond.engine.admission.Admission;
import dev.millpond.engine.dispatch.KindPace;
import dev.millpond.engine.flush.NewJob;
import dev.millpond.engine.metrics.EngineMetrics;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Iterator;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Predicts when accepted jobs start, and measures how far off that was. By Little's law a job is in
 * its queue for as long as the jobs ahead of it take to leave, and it starts when its own run time
 * is left of that. Of each second one job is followed to its start. Thread-safe.
 */
public final class StartEstimates {
  /** Jobs that are followed at a time; beyond it nothing new is. */
  private static final int FOLLOWED_MOST = 100;

  private static final long FOLLOW_EVERY_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** What is predicted for later is as good as unknown. */
  private static final double SECONDS_MOST = TimeUnit.DAYS.toSeconds(1);

  /** A job that has not started so long after its time is followed no more. */
  private static final Duration PATIENCE = Duration.ofHours(1);

  private final Admission admission;
  private final KindPace pace;
  private final InstantSource clock;
  private final EngineMetrics metrics;
  private final Queue<Followed> followed = new ArrayBlockingQueue<>(FOLLOWED_MOST);
  private final AtomicLong followNextNanos = new AtomicLong(System.nanoTime());

  private record Followed(UUID id, String queue, Instant predicted) {}

  /**
   * @param clock the database's, as far as known
   */
  public StartEstimates(
      Admission admission, KindPace pace, InstantSource clock, EngineMetrics metrics) {
    this.admission = admission;
    this.pace = pace;
    this.clock = clock;
    this.metrics = metrics;
  }

  /** When a job that has just been accepted will start; null where nothing tells. */
  @Nullable Instant of(NewJob job) {
    OptionalDouble seconds =
        job.runsNow() ? admission.secondsInQueue(job.queue()) : OptionalDouble.empty();
    if (seconds.isEmpty() || seconds.getAsDouble() > SECONDS_MOST) {
      return null;
    }
    double waits = seconds.getAsDouble() - pace.expectedMicros(job.kind()) / 1e6;
    Instant predicted = clock.instant().plusMillis(Math.max(0, Math.round(waits * 1_000)));
    follow(job, predicted);
    return predicted;
  }

  private void follow(NewJob job, Instant predicted) {
    long now = System.nanoTime();
    long next = followNextNanos.get();
    if (now - next >= 0 && followNextNanos.compareAndSet(next, now + FOLLOW_EVERY_NANOS)) {
      boolean ignored = followed.offer(new Followed(job.id(), job.queue(), predicted));
    }
  }

  /** Looks which of the followed jobs have started. */
  public void check(Function<UUID, Optional<JobView>> find) {
    Instant now = clock.instant();
    for (Iterator<Followed> all = followed.iterator(); all.hasNext(); ) {
      Followed each = all.next();
      if (now.isBefore(each.predicted())) {
        continue;
      }
      Optional<JobView> job = find.apply(each.id());
      Instant started = job.map(StartEstimates::started).orElse(null);
      if (started != null) {
        metrics.predicted(each.queue(), Duration.between(each.predicted(), started).abs());
      }
      if (started != null
          || job.isEmpty()
          || now.isAfter(each.predicted().plus(PATIENCE))
          || job.get().attempt() > 1) {
        all.remove();
      }
    }
  }

  /** The start of a first attempt. */
  private static @Nullable Instant started(JobView job) {
    return job.attempt() == 1 ? job.timing().startedAt() : null;
  }
}
