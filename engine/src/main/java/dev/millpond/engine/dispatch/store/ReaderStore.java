package dev.millpond.engine.dispatch.store;

import dev.millpond.engine.dispatch.Readers;
import dev.millpond.engine.dispatch.Readers.Reader;
import dev.millpond.engine.lifecycle.store.Pg;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What live workers say of themselves. Stateless. */
public final class ReaderStore {
  private static final String READ =
      """
      SELECT kinds, shards FROM millpond.worker
      WHERE NOT fenced AND NOT draining AND beat_at > now() - lease
      """;

  private ReaderStore() {}

  /** Reads what is run and read now; a worker that drains takes no more. */
  public static Readers read(Connection connection) throws SQLException {
    List<Reader> readers = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(READ)) {
      while (rows.next()) {
        String[] kinds = (String[]) rows.getArray(1).getArray();
        int[] shards = Pg.ints(rows, 2);
        readers.add(
            new Reader(
                List.of(kinds),
                shards == null ? List.of() : Arrays.stream(shards).boxed().toList()));
      }
    }
    return new Readers(readers);
  }
}
