package dev.millpond.api;

import java.time.Duration;

/** Limits and defaults of what a producer may ask. Sizes are bytes of UTF-8. */
public final class Limits {
  public static final String DEFAULT_QUEUE = "default";
  public static final String DEFAULT_CLASS = "normal";

  /** Jobs in one submit call. */
  public static final int BATCH_JOBS = 10_000;

  public static final int PAYLOAD_BYTES = 256 * 1024;
  public static final int RESULT_BYTES = 64 * 1024;

  /** Error texts and stacks are cut at this size. */
  public static final int ERROR_BYTES = 16 * 1024;

  /** One line of a job's log, and its progress message, are cut at this size. */
  public static final int LOG_LINE_BYTES = 4 * 1024;

  /** Log lines kept for one job; later lines are dropped and counted. */
  public static final int LOG_LINES = 1_000;

  public static final int NAME_CHARS = 64;
  public static final int TAGS = 16;
  public static final int IDEMPOTENCY_KEY_CHARS = 255;

  public static final int MAX_ATTEMPTS = 20;
  public static final int MAX_ATTEMPTS_CEILING = 1_000;
  public static final Duration BACKOFF_BASE = Duration.ofSeconds(1);
  public static final Duration BACKOFF_MAX = Duration.ofHours(1);
  public static final Duration SOFT_TIMEOUT = Duration.ofMinutes(15);

  /** The hard timeout is the soft one and this, unless it is given. */
  public static final Duration HARD_TIMEOUT_MARGIN = Duration.ofMinutes(1);

  public static final Duration TIMEOUT_CEILING = Duration.ofDays(7);

  /** How far ahead a job may be scheduled. */
  public static final Duration RUN_AT_CEILING = Duration.ofDays(3653);

  /** How far ahead a job may expire. */
  public static final Duration EXPIRY_CEILING = RUN_AT_CEILING;

  public static final Duration RESULT_TTL_LEAST = Duration.ofSeconds(1);
  public static final Duration RESULT_TTL_CEILING = Duration.ofDays(365);
  public static final int WEBHOOK_CHARS = 2_048;

  /** Kinds, queues and tags that start so are Millpond's own. */
  public static final String RESERVED_PREFIX = "millpond.";

  /** How long a submit may wait for room in a full queue. */
  public static final Duration WAIT_MOST = Duration.ofSeconds(30);

  private Limits() {}
}
