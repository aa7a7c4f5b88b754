package dev.millpond.engine.flush;

import dev.millpond.api.JobView.JobError;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** Why a job ended without a start: it had expired. */
public final class Expired {
  /** Type of the error of an attempt that did not begin. */
  public static final String ERROR_TYPE = "expired";

  private Expired() {}

  /** The error of the attempt that did not begin. */
  public static JobError error(@Nullable Instant expiresAt) {
    return new JobError(ERROR_TYPE, "was not to start after " + expiresAt, null);
  }
}
