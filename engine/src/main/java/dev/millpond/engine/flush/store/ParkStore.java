package dev.millpond.engine.flush.store;

import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.lifecycle.store.PgArray;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;

/**
 * Has jobs wait for the end of a pause, in state rows of their own under the same token. The caller
 * has passed their gates, takes them out of the depth and owns the transaction. Stateless.
 */
public final class ParkStore {
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

  /** A job that is to wait since this tag of it is paused. */
  public record Parked(UUID jobId, Lane lane, String kind, String tag, int token, int attempt) {}

  public static void pause(Connection tx, List<Parked> jobs) throws SQLException {
    if (jobs.isEmpty()) {
      return;
    }
    try (PreparedStatement statement = tx.prepareStatement(PAUSE)) {
      int i = 0;
      statement.setObject(++i, PgArray.uuids(jobs, Parked::jobId));
      statement.setObject(++i, PgArray.texts(jobs, job -> job.lane().queue()));
      statement.setObject(++i, PgArray.texts(jobs, job -> job.lane().priorityClass()));
      statement.setObject(++i, PgArray.texts(jobs, Parked::kind));
      statement.setObject(++i, PgArray.texts(jobs, Parked::tag));
      statement.setObject(++i, PgArray.ints(jobs, Parked::token));
      statement.setObject(++i, PgArray.ints(jobs, Parked::attempt));
      statement.executeUpdate();
    }
  }
}
