package dev.millpond.server.metrics;

import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * All metrics as Prometheus text. Made at most four times a second, however often it is asked for
 * and by however many: whoever asks in between gets the last one. Thread-safe.
 */
public final class Exposition {
  /** The type of the text. */
  public static final String TYPE = "text/plain; version=0.0.4; charset=utf-8";

  private static final long SERVES_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

  private final PrometheusMeterRegistry registry;
  private final ReentrantLock making = new ReentrantLock();
  private byte[] last = {};
  private long madeNanos = System.nanoTime() - SERVES_NANOS;

  public Exposition(PrometheusMeterRegistry registry) {
    this.registry = registry;
  }

  /** The text; not to be changed. */
  public byte[] text() {
    making.lock();
    try {
      if (System.nanoTime() - madeNanos >= SERVES_NANOS) {
        last = registry.scrape().getBytes(StandardCharsets.UTF_8);
        madeNanos = System.nanoTime();
      }
      return last;
    } finally {
      making.unlock();
    }
  }
}
