package dev.millpond.engine.flow;

import java.time.Instant;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Something that operators have paused: none of its jobs is started until it is resumed.
 *
 * @param reason why, as somebody said; null for no word
 * @param by who, as somebody said; null for no word
 * @param at by the database's clock
 */
public record Pause(
    Scope scope, String name, @Nullable String reason, @Nullable String by, Instant at) {

  /** What can be paused. */
  public enum Scope {
    QUEUE,
    KIND,
    TAG;

    /** As in SQL and in JSON. */
    public String word() {
      return name().toLowerCase(Locale.ROOT);
    }

    /** The scope of a word that {@link #word} gave. */
    public static Scope of(String word) {
      return valueOf(word.toUpperCase(Locale.ROOT));
    }
  }
}
