package dev.millpond.engine.lifecycle.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.millpond.engine.Database;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
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

  @Test
  void aPoolThatIsClosedUnderATransactionIsALostConnection() throws Exception {
    try (Database database = Database.fresh()) {
      for (int round = 0; round < 40; round++) {
        Transactions transactions = new Transactions(Pg.pool(database.url(), "closed", 1));
        CompletableFuture<Throwable> end = new CompletableFuture<>();
        CountDownLatch began = new CountDownLatch(20);
        Thread.ofVirtual()
            .start(() -> {
              try {
                while (true) {
                  transactions.call(tx -> Database.update(tx, "SET LOCAL jit = off"));
                  began.countDown();
                }
              } catch (RuntimeException e) {
                end.complete(e);
              }
            });
        assertThat(began.await(20, TimeUnit.SECONDS)).isTrue();
        transactions.close();
        assertThat(end.get(20, TimeUnit.SECONDS))
            .matches(
                e ->
                    e instanceof DatabaseException
                        || e.getCause() instanceof SQLException, // in the statement itself
                "a fault of the database");
      }
    }
  }

  private static int write(Connection tx) throws SQLException {
    try (var statement = tx.createStatement()) {
      return statement.executeUpdate("INSERT INTO millpond.queue (name) VALUES ('q')");
    }
  }
}
