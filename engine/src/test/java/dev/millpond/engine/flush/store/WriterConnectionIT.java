package dev.millpond.engine.flush.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The connection of a lane, lost and replaced. */
class WriterConnectionIT {
  private static final String LANE = "writer-connection-it";

  private Database database;

  @BeforeEach
  void open() {
    database = Database.fresh();
  }

  @AfterEach
  void close() {
    Fleet.assertBooksClean(database);
    database.close();
  }

  @Test
  void aFurtherLossIsMetByTheSpareThatTheFirstOneHadOpened() throws SQLException {
    int met = 0;
    try (WriterConnection lane = WriterConnection.spared(database.url(), LANE)) {
      assertThat(backend(lane)).isPositive();
      lose(lane);
      for (int i = 0; i < 10; i++) {
        long lost = backend(lane);
        long spare = spareBeside(lost);
        lose(lane);
        met += backend(lane) == spare ? 1 : 0; // not while it is just looked at
        assertThat(backends("TRUE"))
            .as("what was lost has ended before")
            .doesNotContain(Long.toString(lost));
      }
    }
    assertThat(met).isGreaterThan(5);
    Fleet.until("all are closed", () -> backends("TRUE").isEmpty());
  }

  @Test
  void aSpareThatHasEndedIsReplacedLikeAnyConnection() throws SQLException {
    try (WriterConnection lane = WriterConnection.spared(database.url(), LANE)) {
      backend(lane);
      for (int i = 0; i < 20; i++) {
        lose(lane);
        long current = backend(lane);
        spareBeside(current);
        database.terminate(LANE); // the spare as well
        lose(lane);
        assertThat(backend(lane)).isNotEqualTo(current);
      }
    }
    Fleet.until("all are closed", () -> backends("TRUE").isEmpty());
  }

  @Test
  void withoutALossThereIsNoSpare() throws SQLException {
    try (WriterConnection lane = WriterConnection.spared(database.url(), LANE)) {
      for (int i = 0; i < 20; i++) {
        backend(lane);
        assertThat(backends("TRUE")).hasSize(1);
      }
    }
  }

  private static void lose(WriterConnection lane) {
    lane.lost(new SQLException("as if it were lost", "08006"));
  }

  private static long backend(WriterConnection lane) throws SQLException {
    try (Statement statement = lane.get().createStatement();
        ResultSet row = statement.executeQuery("SELECT pg_backend_pid()")) {
      row.next();
      return row.getLong(1);
    }
  }

  /** Waits for a backend beside the current one that has been looked at: asked nothing. */
  private long spareBeside(long current) {
    Set<String> spare = new HashSet<>();
    Fleet.until(
        "a spare connection",
        () -> {
          spare.clear();
          spare.addAll(backends("query_start IS NOT NULL AND query = ''"));
          spare.remove(Long.toString(current));
          return spare.size() == 1;
        });
    return Long.parseLong(spare.iterator().next());
  }

  private List<String> backends(String which) {
    return database.strings(
        "SELECT pid::text FROM pg_stat_activity WHERE application_name = ? AND " + which, LANE);
  }
}
