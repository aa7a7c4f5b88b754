package dev.millpond.engine;

import dev.millpond.api.Limits;
import java.time.Duration;

/**
 * What an installation takes of one job and one submit. The ceilings are what one flush, one claim
 * and one worker's memory can bear. Best the same for all processes of a fleet.
 *
 * @param payloadBytes of a job's payload, as UTF-8
 * @param resultBytes of a handler's result, as UTF-8
 * @param batchJobs jobs committed together
 * @param keysLive how long an idempotency key is remembered
 */
public record JobLimits(int payloadBytes, int resultBytes, int batchJobs, Duration keysLive) {
  public static final int BYTES_LEAST = 1024;
  public static final int PAYLOAD_BYTES_MAX = 4 << 20;
  public static final int RESULT_BYTES_MAX = 1 << 20;
  public static final int BATCH_JOBS_MAX = Limits.BATCH_JOBS;
  public static final Duration KEYS_LIVE_LEAST = Duration.ofMinutes(1);
  public static final Duration KEYS_LIVE_MAX = Duration.ofDays(30);

  public static final JobLimits DEFAULT =
      new JobLimits(
          Limits.PAYLOAD_BYTES, Limits.RESULT_BYTES, Limits.BATCH_JOBS, Duration.ofHours(24));

  public JobLimits {
    check("millpond.payload.bytes", payloadBytes, BYTES_LEAST, PAYLOAD_BYTES_MAX);
    check("millpond.result.bytes", resultBytes, BYTES_LEAST, RESULT_BYTES_MAX);
    check("millpond.batch.jobs", batchJobs, 1, BATCH_JOBS_MAX);
    if (keysLive.compareTo(KEYS_LIVE_LEAST) < 0 || keysLive.compareTo(KEYS_LIVE_MAX) > 0) {
      throw new ConfigException(
          "millpond.idempotency.ttl", keysLive, KEYS_LIVE_LEAST + " to " + KEYS_LIVE_MAX);
    }
  }

  public JobLimits withBytes(int newPayloadBytes, int newResultBytes) {
    return new JobLimits(newPayloadBytes, newResultBytes, batchJobs, keysLive);
  }

  public JobLimits withBatchJobs(int newBatchJobs) {
    return new JobLimits(payloadBytes, resultBytes, newBatchJobs, keysLive);
  }

  public JobLimits withKeysLive(Duration newKeysLive) {
    return new JobLimits(payloadBytes, resultBytes, batchJobs, newKeysLive);
  }

  private static void check(String key, int value, int least, int most) {
    if (value < least || value > most) {
      throw new ConfigException(key, value, least + " to " + most);
    }
  }
}
