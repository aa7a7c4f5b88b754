package dev.millpond.engine.flush.store;

import dev.millpond.engine.flush.Portion.Paused;
import dev.millpond.engine.flush.store.ColdFlush.Passed;
import dev.millpond.engine.lifecycle.store.PgArray;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;

/**
 * Has jobs wait for the end of a pause, in state rows of their own under the same token. The caller
 * has passed their gates and owns the transaction. Stateless.
 */
final class ParkStore {
  private static final String PAUSE =
      """
      INSERT INTO millpond.job_state
             (job_id, queue, class, kind, phase, wait_reason, paused_tag, lease_token, attempt)
      SELECT u.id, u.queue, u.class, u.kind, 'waiting', 'pause', u.tag, u.token, u.attempt
      FROM unnest(?::uuid[], ?::text[], ?::text[], ?::text[], ?::text[], ?::int4[], ?::int4[])
           AS u (id, queue, class, kind, tag, token, attempt)
      ON CONFLICT (job_id) DO UPDATE
          SET phase = 'waiting', wait_reason = 'pause', paused_tag = excluded.paused_tag,
              session = NULL, started_at = NULL, seen_at = NULL, deadline = NULL
          WHERE job_state.lease_token = excluded.lease_token
      """;

  private ParkStore() {}

  static void pause(Connection tx, List<Passed<Paused>> paused) throws SQLException {
    if (paused.isEmpty()) {
      return;
    }
    try (PreparedStatement statement = tx.prepareStatement(PAUSE)) {
      int i = 0;
      statement.setObject(++i, PgArray.uuids(paused, p -> p.what().jobId()));
      statement.setObject(++i, PgArray.texts(paused, p -> p.portion().lane().queue()));
      statement.setObject(++i, PgArray.texts(paused, p -> p.portion().lane().priorityClass()));
      statement.setObject(++i, PgArray.texts(paused, p -> p.portion().kind()));
      statement.setObject(++i, PgArray.texts(paused, p -> p.what().tag()));
      statement.setObject(++i, PgArray.ints(paused, p -> p.what().token()));
      statement.setObject(++i, PgArray.ints(paused, p -> p.what().attempt()));
      statement.executeUpdate();
    }
  }
}
