package dev.millpond.engine.maintenance.store;

import dev.millpond.engine.lifecycle.store.PgArray;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A partition of each of the four partitioned tables with the same range of ids: those of a day, or
 * the default ones, which hold everything else.
 *
 * @param suffix of the tables' names
 * @param after all ids are greater
 * @param upTo all ids are this or smaller
 */
public record Part(String suffix, UUID after, UUID upTo) {
  /** Partitioned tables in the order in which they are locked, by everybody. */
  static final String[] TABLES = {"job", "job_outcome", "job_attempt", "job_log"};

  /** What is outside of all days. */
  public static final Part DEFAULT = new Part("default", new UUID(0, 0), new UUID(-1L, -1L));

  /** The part of a UTC day. */
  public static Part of(LocalDate day) {
    return new Part(
        "p" + DateTimeFormatter.BASIC_ISO_DATE.format(day), before(day), before(day.plusDays(1)));
  }

  /** The greatest id of the time before a day. */
  private static UUID before(LocalDate day) {
    long millis = day.atStartOfDay(ZoneOffset.UTC).toInstant().toEpochMilli();
    return new UUID((millis << 16) - 1, -1L);
  }

  /** Whether an id is in its range. */
  boolean has(UUID id) {
    return PgArray.UUID_ORDER.compare(id, after) > 0 && PgArray.UUID_ORDER.compare(id, upTo) <= 0;
  }

  /** Name of its partition of a table. */
  String table(String parent) {
    return "millpond." + parent + "_" + suffix;
  }

  /** A statement with {@code %s} in place of the suffix of table names. */
  String sql(String statement) {
    return statement.replace("%s", suffix);
  }

  /**
   * The last id of a page of so many rows of it; null when fewer are left.
   *
   * @param sql takes the id to begin after, the last one of the part, and the rows to pass over
   */
  @Nullable UUID pageEnd(Connection tx, String sql, UUID after, int rows) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(sql)) {
      statement.setObject(1, after);
      statement.setObject(2, upTo);
      statement.setInt(3, rows - 1);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? row.getObject(1, UUID.class) : null;
      }
    }
  }

  @Override
  public String toString() {
    return suffix;
  }
}
