package dev.millpond.engine.flush;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A validated job that is not written yet.
 *
 * @param options JSON object of the settings that are rarely given; null for none
 * @param start when it may run
 */
public record NewJob(
    UUID id,
    String queue,
    String priorityClass,
    String kind,
    String payload,
    @Nullable String options,
    Start start) {

  /** When a job may run, on the database's clock. */
  public sealed interface Start {
    /** Now: it gets a dispatch row. */
    record Now() implements Start {}

    /** At microseconds since 1970: it gets a state row. */
    record At(long epochMicros) implements Start {}

    /** This long after the commit: it gets a state row. */
    record In(long delayMicros) implements Start {}
  }

  public static final Start NOW = new Start.Now();

  public boolean runsNow() {
    return start instanceof Start.Now;
  }

  /** Roughly what it costs to send, in bytes. */
  public int weight() {
    return 160 + payload.length() + (options == null ? 0 : options.length());
  }
}
