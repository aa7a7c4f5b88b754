package dev.millpond.engine.flush;

/** A piece of the hot lane's work. */
public sealed interface HotWork {
  /** Jobs without idempotency keys. */
  record Submit(SubmitWork work) implements HotWork {}

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
