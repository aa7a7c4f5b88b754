package dev.millpond.engine.flush;

import dev.millpond.engine.admission.Ticket;
import org.jspecify.annotations.Nullable;

/** A piece of the hot lane's work. */
public sealed interface HotWork {
  /**
   * Jobs without idempotency keys.
   *
   * @param ticket before the gates of their queues; null: no gate stops them
   */
  record Submit(SubmitWork work, @Nullable Ticket ticket) implements HotWork {
    /** Jobs that no gate stops. */
    public Submit(SubmitWork work) {
      this(work, null);
    }
  }

  /** A plain portion ({@link Portion#plain}). */
  record Finish(Portion portion) implements HotWork {}

  /** Rows it stands for. */
  default int rows() {
    return switch (this) {
      case Submit submit -> submit.work().jobs().size();
      case Finish finish -> finish.portion().rows();
    };
  }

  /** Bytes it takes, roughly. */
  default int weight() {
    return switch (this) {
      case Submit submit -> submit.work().weight();
      case Finish finish -> finish.portion().weight();
    };
  }
}
