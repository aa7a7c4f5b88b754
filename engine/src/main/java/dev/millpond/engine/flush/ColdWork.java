package dev.millpond.engine.flush;

/** A piece of the cold lane's work. */
public sealed interface ColdWork {
  /** A portion that is not plain. */
  record Finish(Portion portion) implements ColdWork {}

  /** Jobs with idempotency keys. */
  record Keyed(KeyedSubmit submit) implements ColdWork {}

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
