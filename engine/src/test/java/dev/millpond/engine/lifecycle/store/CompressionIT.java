package dev.millpond.engine.lifecycle.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.engine.Database;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Long texts are compressed by the quicker of the server's methods, in partitions to come too. */
class CompressionIT {
  private static final String HAS_LZ4 =
      """
      SELECT count(*) FROM pg_settings
      WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)
      """;

  private static final String METHODS =
      """
      SELECT a.attcompression::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
      WHERE c.relnamespace = 'millpond'::regnamespace AND c.relkind IN ('r', 'p')
        AND (c.relname LIKE 'job\\_p%' OR c.relname IN ('job', 'job_default'))
        AND a.attname = 'payload'
      """;

  @Test
  void payloadsAreCompressedByLz4WhereTheServerHasIt() {
    try (Database database = Database.fresh()) {
      List<String> before = database.strings(METHODS);
      assertThat(
              database.number(
                  "SELECT count(*) FILTER (WHERE millpond.ensure_partitions(current_date + d))"
                      + " FROM generate_series(20, 21) AS d"))
          .isEqualTo(2);
      List<String> after = database.strings(METHODS);
      assertThat(after).hasSize(before.size() + 2);
      assertThat(after).containsOnly(database.number(HAS_LZ4) == 1 ? "l" : "");
    }
  }
}
