package dev.millpond.engine.query;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A page of a list.
 *
 * @param nextCursor gives the next page; null at the end
 * @param partial whether the bounded scan ended before the page was full; the cursor goes on
 */
public record Page<T>(List<T> items, @Nullable String nextCursor, boolean partial) {
  public Page {
    items = List.copyOf(items);
  }
}
