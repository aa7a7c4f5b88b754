package dev.millpond.engine.flow;

import org.jspecify.annotations.Nullable;

/** What a change says about one setting. */
public sealed interface Setting<T> {
  /** It stays as it is. */
  record Keep<T>() implements Setting<T> {}

  /** The default holds again. */
  record Default<T>() implements Setting<T> {}

  /** It gets this value. */
  record To<T>(T value) implements Setting<T> {}

  static <T> Setting<T> keep() {
    return new Keep<>();
  }

  /** To the value; to the default for null. */
  static <T> Setting<T> to(@Nullable T value) {
    return value == null ? new Default<>() : new To<>(value);
  }
}
