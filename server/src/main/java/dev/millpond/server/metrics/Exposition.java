package dev.millpond.server.metrics;

import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.prometheus.metrics.model.snapshots.DuplicateLabelsException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * All metrics as Prometheus text. Made at most four times a second, and for a twentieth of the time
 * at most, however often it is asked for and by however many: whoever asks in between gets the last
 * one. Thread-safe.
 */
public final class Exposition {
  /** The type of the text. */
  public static final String TYPE = "text/plain; version=0.0.4; charset=utf-8";

  static final long SERVES_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

  /** Of how long it took to make. */
  private static final int SERVES_TIMES = 20;

  private static final int SCRAPES_MOST = 10;

  private final PrometheusMeterRegistry registry;
  private final ReentrantLock making = new ReentrantLock();
  private byte[] last = {};
  private long makeAtNanos = System.nanoTime();

  public Exposition(PrometheusMeterRegistry registry) {
    this.registry = registry;
  }

  /** The text; not to be changed. */
  public byte[] text() {
    making.lock();
    try {
      long began = System.nanoTime();
      if (began - makeAtNanos >= 0) {
        last = scrape().getBytes(StandardCharsets.UTF_8);
        long now = System.nanoTime();
        makeAtNanos = now + Math.max(SERVES_NANOS, SERVES_TIMES * (now - began));
      }
      return last;
    } finally {
      making.unlock();
    }
  }

  /** Once more where a gauge was taken out and put back meanwhile: a look may find it twice. */
  private String scrape() {
    for (int again = SCRAPES_MOST - 1; ; again--) {
      try {
        return registry.scrape();
      } catch (DuplicateLabelsException e) {
        if (again == 0) {
          throw e;
        }
      }
    }
  }
}
