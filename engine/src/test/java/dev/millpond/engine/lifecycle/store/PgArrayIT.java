package dev.millpond.engine.lifecycle.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.engine.Database;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.postgresql.util.PGobject;

/** PostgreSQL reads each kind of array as it was meant, on each kind of connection. */
class PgArrayIT {
  private static final long DAY_MICROS = 86_400_000_000L;

  private static Database database;

  @BeforeAll
  static void open() {
    database = Database.fresh();
  }

  @AfterAll
  static void shut() {
    database.close();
  }

  private static List<String> read(String type, PGobject value) throws SQLException {
    List<String> seen = new ArrayList<>();
    try (Connection hot = Pg.hot(database.url(), "arrays", 250, 20);
        var pool = Pg.pool(database.url(), "arrays", 1);
        Connection pooled = pool.getConnection()) {
      for (Connection connection : List.of(hot, pooled, hot, pooled)) {
        try (PreparedStatement statement =
            connection.prepareStatement("SELECT (?::" + type + "[])::text")) {
          statement.setObject(1, value);
          try (ResultSet row = statement.executeQuery()) {
            row.next();
            seen.add(String.valueOf(row.getString(1)));
          }
        }
      }
    }
    assertThat(seen).as("the same on every connection and run").containsOnly(seen.getFirst());
    return seen.subList(0, 1);
  }

  @Test
  void arraysOfAllTypesArrive() throws SQLException {
    UUID id = UUID.fromString("01a20302-ab4b-7425-813d-3c92c91a5eab");
    assertThat(read("uuid", PgArray.uuids(new UUID[] {id}))).containsExactly("{" + id + "}");
    assertThat(read("text", PgArray.texts(Arrays.asList("a", null, "ä\"{,}"), t -> t)))
        .containsExactly("{a,NULL,\"ä\\\"{,}\"}");
    assertThat(read("int4", PgArray.ints(3, i -> -i))).containsExactly("{0,-1,-2}");
    assertThat(read("int8", PgArray.longs(List.of(Long.MAX_VALUE, PgArray.NULL), l -> l)))
        .containsExactly("{9223372036854775807,NULL}");
    assertThat(read("bool", PgArray.booleans(3, i -> i == 1))).containsExactly("{f,t,f}");
    assertThat(read("timestamptz", PgArray.instants(List.of(DAY_MICROS + 1, PgArray.NULL), l -> l)))
        .containsExactly("{\"1970-01-02 00:00:00.000001+00\",NULL}");
  }

  @Test
  void emptyArraysArriveEmpty() throws SQLException {
    assertThat(read("uuid", PgArray.uuids(new UUID[0]))).containsExactly("{}");
    assertThat(read("text", PgArray.texts(List.<String>of(), t -> t))).containsExactly("{}");
    assertThat(read("bool", PgArray.booleans(0, i -> true))).containsExactly("{}");
  }

  @Test
  void theOrderOfUuidsIsPostgresOwn() throws SQLException {
    Random random = new Random(7);
    List<UUID> ids = new ArrayList<>();
    for (int i = 0; i < 1_000; i++) {
      // Both halves with and without their sign bit, and equal high halves.
      ids.add(new UUID(i % 3 == 0 ? -1 : random.nextLong(), random.nextLong()));
    }
    List<UUID> sorted = ids.stream().sorted(PgArray.UUID_ORDER).toList();
    try (Connection connection = Pg.hot(database.url(), "arrays", 250, 20);
        PreparedStatement statement =
            connection.prepareStatement(
                "SELECT array_agg(u ORDER BY u) FROM unnest(?::uuid[]) u")) {
      statement.setObject(1, PgArray.uuids(ids.toArray(UUID[]::new)));
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        Array array = row.getArray(1);
        assertThat((UUID[]) array.getArray()).containsExactlyElementsOf(sorted);
      }
    }
  }
}
