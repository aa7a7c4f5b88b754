package dev.millpond.server.http.health;

import dev.millpond.engine.Millpond;
import dev.millpond.engine.query.Health;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Whether this process should get work: it has started, does not drain, and all that it needs is
 * up. Thread-safe.
 */
public final class Readiness {
  enum Phase {
    STARTING,
    SERVING,
    DRAINING
  }

  /** Longest time a probe waits. */
  private static final Duration MOST_TIME = Duration.ofMillis(900);

  /** How long a look is good for: whoever asks needs no key, and may ask as often as it likes. */
  private static final long KEPT_NANOS = Duration.ofMillis(200).toNanos();

  private final Millpond millpond;
  private volatile Phase phase = Phase.STARTING;

  /** The look that is under way, or was a moment ago; shared by all who ask meanwhile. */
  private @Nullable CompletableFuture<Health> look;

  private long beganNanos;

  public Readiness(Millpond millpond) {
    this.millpond = millpond;
  }

  public void started() {
    phase = Phase.SERVING;
  }

  public void draining() {
    phase = Phase.DRAINING;
  }

  Phase phase() {
    return phase;
  }

  /** The engine's health; down when it cannot say so in time, as while it waits for PostgreSQL. */
  public Health health() {
    try {
      return look().get(MOST_TIME.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      return down("no answer within " + MOST_TIME);
    } catch (ExecutionException e) {
      return down(String.valueOf(e.getCause()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return down("stopped");
    }
  }

  private synchronized CompletableFuture<Health> look() {
    CompletableFuture<Health> current = look;
    long now = System.nanoTime();
    if (current == null || (current.isDone() && now - beganNanos > KEPT_NANOS)) {
      CompletableFuture<Health> next = new CompletableFuture<>();
      beganNanos = now;
      Thread.ofVirtual()
          .name("health")
          .start(() -> {
            try {
              next.complete(millpond.health());
            } catch (RuntimeException e) {
              next.completeExceptionally(e);
            }
          });
      look = next;
      return next;
    }
    return current;
  }

  private static Health down(String detail) {
    return new Health(List.of(new Health.Component("engine", false, true, detail)));
  }
}
