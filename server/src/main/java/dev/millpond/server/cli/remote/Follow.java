package dev.millpond.server.cli.remote;

import dev.millpond.server.client.Call;
import dev.millpond.server.client.CallException;
import dev.millpond.server.client.Reply;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Looks at the same thing again and again, less often while nothing happens, and lives through an
 * outage of the server once it has seen it. Not thread-safe.
 */
final class Follow {
  /** Pause after a change; it grows from look to look. */
  private static final long PAUSE_LEAST_MILLIS = 100;

  /** Longest pause between two looks. */
  private static final long PAUSE_MOST_MILLIS = 5_000;

  /** Longest outage that is waited out. */
  private static final Duration OUTAGE_MOST = Duration.ofSeconds(60);

  private final long startNanos = System.nanoTime();
  private final long boundNanos;
  private long pauseMillis = PAUSE_LEAST_MILLIS;
  private boolean seen;

  /** Start of an outage; only meaningful while {@link #away}. */
  private long awaySinceNanos;

  private boolean away;

  /**
   * Follows.
   *
   * @param bound how long; null for as long as it takes
   */
  Follow(@Nullable Duration bound) {
    boundNanos = bound == null ? Long.MAX_VALUE : nanos(bound);
  }

  /** Whether the time is up. */
  boolean over() {
    return System.nanoTime() - startNanos >= boundNanos;
  }

  /** Pauses before the next look. */
  void pause(boolean changed) throws InterruptedException {
    pauseMillis =
        changed ? PAUSE_LEAST_MILLIS : Math.min(PAUSE_MOST_MILLIS, pauseMillis + pauseMillis / 2);
    long leftNanos = boundNanos - (System.nanoTime() - startNanos);
    Thread.sleep(Math.max(0, Math.min(pauseMillis, leftNanos / 1_000_000 + 1)));
  }

  /**
   * Looks once; through an outage as often as it takes.
   *
   * @throws CallException when the server refuses, or stays away, or was never seen
   */
  Reply.Done look(Session session, Call call) throws InterruptedException {
    while (true) {
      switch (session.client().call(call)) {
        case Reply.Done done -> {
          seen = true;
          away = false;
          return done;
        }
        case Reply.Unreachable gone -> waitOut(session, gone);
        case Reply.Unavailable gone -> waitOut(session, gone);
        case Reply.Failure failure -> throw new CallException(failure);
      }
    }
  }

  private void waitOut(Session session, Reply.Failure failure) throws InterruptedException {
    long now = System.nanoTime();
    if (seen && !away) {
      away = true;
      awaySinceNanos = now;
      session.note("The server is away; waiting up to " + OUTAGE_MOST.toSeconds() + " s for it");
    }
    if (!seen || now - awaySinceNanos > OUTAGE_MOST.toNanos() || over()) {
      throw new CallException(failure);
    }
    pause(false);
  }

  private static long nanos(Duration bound) {
    try {
      return bound.toNanos();
    } catch (ArithmeticException e) {
      return Long.MAX_VALUE;
    }
  }
}
