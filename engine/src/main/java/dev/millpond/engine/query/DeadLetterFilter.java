package dev.millpond.engine.query;

import org.jspecify.annotations.Nullable;

/** Which dead letters; null means any. */
public record DeadLetterFilter(@Nullable String queue, @Nullable String kind) {
  public static final DeadLetterFilter ALL = new DeadLetterFilter(null, null);
}
