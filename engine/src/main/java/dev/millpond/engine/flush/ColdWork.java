package dev.millpond.engine.flush;

import dev.millpond.engine.admission.Ticket;
import org.jspecify.annotations.Nullable;

/** A piece of the cold lane's work. */
public sealed interface ColdWork {
  /** A portion that is not plain. */
  record Finish(Portion portion) implements ColdWork {}

  /**
   * Jobs with idempotency keys.
   *
   * @param ticket before the gates of their queues; null: no gate stops them
   */
  record Keyed(KeyedSubmit submit, @Nullable Ticket ticket) implements ColdWork {
    /** Jobs that no gate stops. */
    public Keyed(KeyedSubmit submit) {
      this(submit, null);
    }
  }

  /** Rows it stands for. */
  default int rows() {
    return switch (this) {
      case Finish finish -> finish.portion().rows();
      case Keyed keyed -> keyed.submit().items().size();
    };
  }

  /** Bytes it takes, roughly. */
  default int weight() {
    return switch (this) {
      case Finish finish -> finish.portion().weight();
      case Keyed keyed -> keyed.submit().items().stream().mapToInt(i -> i.job().weight()).sum();
    };
  }
}
