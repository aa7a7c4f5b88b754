package dev.millpond.engine.flow;

import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A limit and who takes part of it now.
 *
 * @param limit null when there is none
 * @param running jobs of the queue or kind that have a state row as running
 * @param holders those of them that have run for longest
 * @param tokens in the bucket; null without a rate
 */
public record LimitView(
    @Nullable Limit limit, long running, List<UUID> holders, @Nullable Double tokens) {
  /** So many holders are shown. */
  public static final int HOLDERS_MAX = 20;
}
