package dev.millpond.engine.worker;

import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.flow.FlowSettings;
import java.util.function.Supplier;

/**
 * Keeps from starting here what operators have paused: batches of a barred queue or kind go back to
 * the table as they came, jobs with a paused tag to a state row of their own, to wait there. What
 * has started goes on. Thread-safe.
 */
final class Barriers {
  private final Supplier<FlowSettings> settings;
  private final Desk desk;
  private final WeightedLanes ready;

  /**
   * @param settings as they are now
   * @param ready what waits for a slot
   */
  Barriers(Supplier<FlowSettings> settings, Desk desk, WeightedLanes ready) {
    this.settings = settings;
    this.desk = desk;
    this.ready = ready;
  }

  /** The settings as they are now. */
  FlowSettings settings() {
    return settings.get();
  }

  /** Whether nothing of the batch is to start now. */
  boolean bars(Batch batch) {
    return settings.get().bars(batch.lane().queue(), batch.kind());
  }

  /** The settings have changed: holds back what has not started. */
  void changed() {
    FlowSettings now = settings.get();
    desk.runs().forEach(run -> hold(run, now));
    ready.forgetExhausted();
  }

  /** Holds back what of a run has not started, as far as these settings say so. */
  void hold(BatchRun run, FlowSettings now) {
    String queue = run.lane().queue();
    // What was claimed under a limit has its place there, whatever has become of the limit.
    if (run.ofRunning() ? now.pauses().holds(queue, run.kind()) : now.bars(queue, run.kind())) {
      run.dissolve(false);
    } else if (now.pauses().byTag()) {
      for (Attempt attempt : run.attempts()) {
        String tag = now.pauses().tag(attempt.options().tags());
        if (tag != null) {
          run.pause(attempt, tag);
        }
      }
    }
  }
}
