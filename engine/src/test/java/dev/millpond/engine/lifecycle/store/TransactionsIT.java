package dev.millpond.engine.lifecycle.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.millpond.engine.Database;
import java.sql.Connection;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;

class TransactionsIT {
  @Test
  void aConnectionToAServerThatOnlyReadsIsNotUsedAgain() {
    try (Database database = Database.fresh();
        Transactions transactions = new Transactions(Pg.pool(database.url(), "read-only", 1))) {
      transactions.call(
          tx -> Database.update(tx, "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"));
      assertThatExceptionOfType(DatabaseException.class)
          .isThrownBy(() -> transactions.call(TransactionsIT::write))
          .satisfies(e -> assertThat(e.fault()).isEqualTo(Pg.Fault.CONNECTION));
      assertThat(transactions.call(TransactionsIT::write)).isEqualTo(1);
    }
  }

  private static int write(Connection tx) throws SQLException {
    try (var statement = tx.createStatement()) {
      return statement.executeUpdate("INSERT INTO millpond.queue (name) VALUES ('q')");
    }
  }
}
