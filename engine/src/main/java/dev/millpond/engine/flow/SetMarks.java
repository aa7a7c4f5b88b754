package dev.millpond.engine.flow;

import dev.millpond.engine.admission.Watermarks;
import dev.millpond.engine.admission.Watermarks.Mark;
import org.jspecify.annotations.Nullable;

/**
 * Watermarks of one measure as they were set for a queue: jobs, or MiB of payloads.
 *
 * @param high {@link Watermarks#NO_MARK} for never full; null for the default
 * @param low null for the default: a fifth of a high one that was set
 */
public record SetMarks(@Nullable Long high, @Nullable Long low) {
  /** Nothing was set. */
  public static final SetMarks NONE = new SetMarks(null, null);

  /** In which the configured ones are where these are not, even where they contradict. */
  Mark over(Mark configured) {
    long newHigh = high == null ? configured.high() : high;
    long byDefault = high == null ? configured.low() : Watermarks.lowOf(newHigh);
    return new Mark(newHigh, low == null ? byDefault : low);
  }

  /** The same; of two marks that were set apart and contradict each other the high one holds. */
  Mark in(Mark configured) {
    Mark mark = over(configured);
    return mark.marked() ? new Mark(mark.high(), Math.min(mark.low(), mark.high() - 1)) : Mark.NONE;
  }
}
