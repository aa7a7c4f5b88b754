package dev.millpond.engine.query.store;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A list that is read in chunks of its order. The caller owns the transaction. Stateless.
 *
 * @param <P> a position: an item is after it or before it
 * @param <T> an item
 */
public interface Scan<P, T> {
  /**
   * What one statement found.
   *
   * @param items in the list's order
   * @param next where to go on; null at the list's end
   * @param last whether the page should end here, as its items are large
   */
  record Chunk<P, T>(List<T> items, @Nullable P next, boolean last) {}

  /**
   * Looks at the next rows.
   *
   * @param from where to begin, not included
   * @param rows to look at
   * @param want most items to give
   */
  Chunk<P, T> read(Connection tx, P from, int rows, int want) throws SQLException;

  /** The position that is so many rows further on; null beyond the list's end. */
  @Nullable P skip(Connection tx, P from, int rows) throws SQLException;

  /** The filter that may take long for a single row; null for none. */
  @Nullable String costly();
}
