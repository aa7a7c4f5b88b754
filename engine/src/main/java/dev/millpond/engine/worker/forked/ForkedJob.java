package dev.millpond.engine.worker.forked;

import java.time.Duration;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** An attempt as the executor of children needs it: what a child is told, and where it answers. */
public interface ForkedJob {
  UUID jobId();

  int attempt();

  String kind();

  String queue();

  /** The class that registers the kind's handler. */
  String module();

  /** JSON text. */
  String payload();

  Duration untilSoftTimeout();

  Duration untilHardTimeout();

  /** The trace that it belongs to; null for none. */
  @Nullable String traceparent();

  /** Whether the result is wanted. */
  boolean keepResult();

  void log(String line);

  /** As the handler has said it, from 0 to 100. */
  void progress(int percent, @Nullable String message);

  /**
   * Who is told from now on that the attempt should stop, at once when that has been said before;
   * null for nobody. The listener does not wait for anything.
   */
  void tell(@Nullable StopListener listener);

  /** Hears of what is wanted of a run. Thread-safe. */
  interface StopListener {
    /** The handler should stop. */
    void stop(String reason);

    /** The attempt is over whatever the handler does: the process is to go. */
    void kill();
  }
}
