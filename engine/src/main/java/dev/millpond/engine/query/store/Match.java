package dev.millpond.engine.query.store;

import dev.millpond.engine.lifecycle.store.PgArray;
import java.util.Set;

/** Conditions that several lists have in common. */
final class Match {
  /**
   * That a text is within the type or the message of an error; takes the text twice, and the table
   * twice as a format.
   */
  static final String ERROR =
      "(strpos(lower(%s.error_type), lower(?)) > 0"
          + " OR strpos(lower(%s.error_message), lower(?)) > 0)";

  private Match() {}

  /** That a queue is one of those that are bound to; nothing for none. */
  static void within(Sql sql, String column, Set<String> queues) {
    if (!queues.isEmpty()) {
      sql.add(
          "AND " + column + " = ANY (?::text[])",
          PgArray.texts(queues.stream().sorted().toList(), queue -> queue));
    }
  }

  /**
   * That job {@code j} has a tag. Most jobs have no options, and most options are told from the
   * text; what is left is read as JSON, which our own code has written.
   */
  static void tag(Sql sql, String tag) {
    sql.add(
        "CASE WHEN strpos(j.options, ?) > 0"
            + " THEN (j.options::jsonb -> 'tags') @> to_jsonb(?::text) ELSE false END",
        '"' + tag + '"',
        tag);
  }
}
