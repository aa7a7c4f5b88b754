package dev.millpond.engine.query.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** A statement put together from pieces and their values. A value is never put into the text. */
final class Sql {
  private final StringBuilder text = new StringBuilder();
  private final List<Object> values = new ArrayList<>();

  /** Adds a piece with its values, one for each question mark. */
  Sql add(String piece, Object... arguments) {
    text.append(piece);
    if (!piece.endsWith("\n")) {
      text.append('\n');
    }
    Collections.addAll(values, arguments);
    return this;
  }

  PreparedStatement prepare(Connection tx) throws SQLException {
    PreparedStatement statement = tx.prepareStatement(text.toString());
    for (int i = 0; i < values.size(); i++) {
      Object value = values.get(i);
      statement.setObject(
          i + 1,
          value instanceof Instant at ? OffsetDateTime.ofInstant(at, ZoneOffset.UTC) : value);
    }
    return statement;
  }
}
