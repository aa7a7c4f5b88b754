package dev.millpond.scenarios.stage;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Clients that submit at a rate that does not give way: each sends its next page when it is due,
 * whatever became of the last one, to the api processes in turn. Thread-safe.
 */
public final class Flood implements AutoCloseable {
  private static final int REFUSED = 503;

  private final Api api;
  private final String body;
  private final int page;
  private final long everyNanos;
  private final List<Thread> clients = new ArrayList<>();
  private final AtomicLong accepted = new AtomicLong();
  private final AtomicLong refused = new AtomicLong();
  private final AtomicLong withoutRetryAfter = new AtomicLong();
  private final AtomicLong failed = new AtomicLong();
  private volatile boolean stopped;
  private volatile @Nullable String failure;

  private Flood(Api api, String job, int page, long everyNanos) {
    this.api = api;
    this.body = "[" + String.join(",", Collections.nCopies(page, job)) + "]";
    this.page = page;
    this.everyNanos = everyNanos;
  }

  /**
   * Begins.
   *
   * @param job as JSON
   * @param perSecond jobs of all clients together
   * @param page jobs of one call
   */
  public static Flood start(Api api, String job, double perSecond, int page, int clients) {
    Flood flood = new Flood(api, job, page, (long) (1e9 * page * clients / perSecond));
    for (int i = 0; i < clients; i++) {
      int node = i;
      flood.clients.add(Thread.ofPlatform().name("flood-" + i).start(() -> flood.loop(node)));
    }
    return flood;
  }

  private void loop(int node) {
    long due = System.nanoTime();
    try {
      while (!stopped) {
        count(api.call(node, "POST", "/v1/jobs/batch", body));
        due += everyNanos;
        long early = due - System.nanoTime();
        if (early > 0) {
          LockSupport.parkNanos(early);
        } else if (-early > TimeUnit.SECONDS.toNanos(1)) {
          due = System.nanoTime(); // it cannot keep up, and must not make up for it in a burst
        }
      }
    } catch (IOException e) {
      failed.incrementAndGet();
      failure = e.toString();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void count(Api.Reply reply) {
    if (reply.done()) {
      accepted.addAndGet(page);
    } else if (reply.status() == REFUSED) {
      refused.addAndGet(page);
      if (reply.retryAfterSeconds() < 1) {
        withoutRetryAfter.incrementAndGet();
      }
    } else {
      failed.incrementAndGet();
      failure = reply.status() + ": " + reply.json();
    }
  }

  public long accepted() {
    return accepted.get();
  }

  public long refused() {
    return refused.get();
  }

  /** Refusals that did not say when to try again. */
  public long withoutRetryAfter() {
    return withoutRetryAfter.get();
  }

  /** What was answered otherwise, last; null when nothing was. */
  public @Nullable String failure() {
    return failure;
  }

  /** Ends it, and waits for the last calls. */
  public void stop() {
    stopped = true;
    try {
      for (Thread client : clients) {
        client.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    stop();
  }
}
