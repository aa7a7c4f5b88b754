package dev.millpond.server.demo;

import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a receiver of the demo got, by the id of the job that sent it. At most {@link #JOBS_MAX}
 * jobs and {@link #CHARS_MAX} characters are kept; what comes after that is counted only.
 * Thread-safe.
 */
final class Receipts {
  /** Jobs kept. */
  static final int JOBS_MAX = 100_000;

  /** Characters kept of one content: longer ones never compare equal. */
  static final int CONTENT_CHARS_MAX = 8_192;

  /** Characters kept of all contents. */
  static final int CHARS_MAX = 64 << 20;

  private final Map<UUID, Receipt> byJob = new HashMap<>();
  private int chars;
  private int arrivals;
  private boolean full;
  private boolean closed;

  /**
   * What came from one job.
   *
   * @param content of its first arrival
   * @param count how often it came
   * @param other the content of a later arrival that differs; null when all were the same
   */
  record Receipt(String content, int count, @Nullable String other) {
    private Receipt and(String again) {
      String differing = other != null || content.equals(again) ? other : again;
      return new Receipt(content, count + 1, differing);
    }
  }

  /** Takes an arrival. */
  synchronized void add(UUID job, String content) {
    arrivals++;
    if (closed) {
      return;
    }
    String kept =
        content.length() <= CONTENT_CHARS_MAX ? content : content.substring(0, CONTENT_CHARS_MAX);
    Receipt before = byJob.get(job);
    if (before != null) {
      byJob.put(job, before.and(kept));
    } else if (byJob.size() < JOBS_MAX && chars + kept.length() <= CHARS_MAX) {
      byJob.put(job, new Receipt(kept, 1, null));
      chars += kept.length();
    } else {
      full = true;
    }
  }

  synchronized Optional<Receipt> of(UUID job) {
    return Optional.ofNullable(byJob.get(job));
  }

  /** Whether arrivals were not kept, so that a job without a receipt may have sent all the same. */
  synchronized boolean full() {
    return full;
  }

  /** All that came, kept or not. */
  synchronized int arrivals() {
    return arrivals;
  }

  /** Jobs that sent something though they are not among these. */
  synchronized Set<UUID> strangersTo(Collection<UUID> jobs) {
    Set<UUID> strangers = new HashSet<>(byJob.keySet());
    strangers.removeAll(Set.copyOf(jobs));
    return strangers;
  }

  /** Forgets what came, and only counts from now on. */
  synchronized void close() {
    closed = true;
    byJob.clear();
    chars = 0;
  }
}
