package dev.millpond.engine.flush.store;

import dev.millpond.engine.admission.Answer;
import dev.millpond.engine.admission.Asker;
import dev.millpond.engine.admission.store.GateStore;
import dev.millpond.engine.flush.KeyedSubmit;
import dev.millpond.engine.lifecycle.store.Pg;
import java.sql.Connection;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks about gates on a lane's own connection, between two flushes. A question that fails never
 * refuses anybody: without an answer the flush goes on, and meets the fault itself. Confined to the
 * lane's thread.
 */
final class LaneAsker implements Asker {
  private static final Logger log = LoggerFactory.getLogger(LaneAsker.class);

  private final WriterConnection connection;

  LaneAsker(WriterConnection connection) {
    this.connection = connection;
  }

  @Override
  public @Nullable Answer ask(String queue) {
    return read(tx -> GateStore.ask(connection.prepare(GateStore.ASK), queue));
  }

  /** Whether a submit brings no new job. */
  boolean allKnown(KeyedSubmit submit) {
    return Boolean.TRUE.equals(read(tx -> KnownKeys.all(tx, submit)));
  }

  private interface Question<T> {
    T ask(Connection tx) throws SQLException;
  }

  private <T> @Nullable T read(Question<T> question) {
    try {
      Connection tx = connection.get();
      boolean auto = tx.getAutoCommit();
      tx.setAutoCommit(true); // between two flushes: no transaction is under way
      T answer = question.ask(tx);
      tx.setAutoCommit(auto);
      return answer;
    } catch (SQLException e) {
      if (Pg.fault(e) == Pg.Fault.CONNECTION) {
        connection.lost(e);
      } else {
        log.warn("a gate was not asked about: {}", e.getMessage());
      }
      return null;
    }
  }
}
