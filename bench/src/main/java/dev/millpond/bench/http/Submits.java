package dev.millpond.bench.http;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;

/** Whether the jobs that were acknowledged are those in the table. */
final class Submits {
  /** The number of a job is the second text of its payload, where {@link HttpShape} puts it. */
  private static final String NUMBERS =
      """
      SELECT count(*), count(DISTINCT n), coalesce(min(n), 0), coalesce(max(n), -1)
      FROM (SELECT split_part(payload, '"', 4)::bigint AS n FROM millpond.job) j
      """;

  private Submits() {}

  /**
   * Compares them.
   *
   * @param acknowledged jobs in requests that were answered with 202, numbered from 0
   * @param problems gets what does not add up
   */
  static void check(String url, long acknowledged, List<String> problems) throws SQLException {
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(NUMBERS)) {
      row.next();
      String expected = text(acknowledged, acknowledged, 0, acknowledged - 1);
      String found = text(row.getLong(1), row.getLong(2), row.getLong(3), row.getLong(4));
      if (!found.equals(expected)) {
        problems.add("acknowledged: " + expected + ", found: " + found);
      }
    }
  }

  private static String text(long count, long distinct, long first, long last) {
    return "%d jobs, %d distinct, from %d to %d".formatted(count, distinct, first, last);
  }
}
