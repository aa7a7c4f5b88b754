package dev.millpond.scenarios.stage;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A client that submits a page of jobs every so often, on a thread of its own, until it is stopped.
 * Jobs that were not accepted are not counted. Thread-safe.
 */
public final class SteadyLoad implements AutoCloseable {
  private final Api api;
  private final String page;
  private final int jobs;
  private final long everyMillis;
  private final AtomicInteger accepted = new AtomicInteger();
  private final Thread thread;
  private volatile boolean stopped;
  private volatile @Nullable String failure;

  private SteadyLoad(Api api, List<String> jobs, long everyMillis) {
    this.api = api;
    this.page = "[" + String.join(",", jobs) + "]";
    this.jobs = jobs.size();
    this.everyMillis = everyMillis;
    this.thread = Thread.ofPlatform().name("steady-load").unstarted(this::loop);
  }

  /**
   * Begins.
   *
   * @param jobs of one page, as JSON
   */
  public static SteadyLoad start(Api api, List<String> jobs, long everyMillis) {
    SteadyLoad load = new SteadyLoad(api, new ArrayList<>(jobs), everyMillis);
    load.thread.start();
    return load;
  }

  private void loop() {
    long next = System.nanoTime();
    try {
      while (!stopped) {
        Api.Reply reply = api.call("POST", "/v1/jobs/batch", page);
        if (reply.done()) {
          accepted.addAndGet(jobs);
        } else {
          failure = "a submit was answered by " + reply.status() + ": " + reply.json();
        }
        next += TimeUnit.MILLISECONDS.toNanos(everyMillis);
        TimeUnit.NANOSECONDS.sleep(Math.max(0, next - System.nanoTime()));
      }
    } catch (IOException e) {
      failure = e.toString();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Jobs that were accepted. */
  public int accepted() {
    return accepted.get();
  }

  /** The last submit that failed; null when none has. */
  public @Nullable String failure() {
    return failure;
  }

  /** Ends it, and waits for its last call. */
  public void stop() {
    stopped = true;
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    stop();
  }
}
