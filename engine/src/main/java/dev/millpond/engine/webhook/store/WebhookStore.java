package dev.millpond.engine.webhook.store;

import dev.millpond.engine.lifecycle.store.PgArray;
import dev.millpond.engine.webhook.WebhookCall;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.Collection;
import java.util.UUID;

/**
 * Writes the jobs that call webhooks, in the transaction of the ends that they tell of: neither is
 * without the other. The caller owns the transaction. Stateless.
 */
public final class WebhookStore {
  /**
   * Only what this transaction has ended: its rows have its time. A call is scheduled for now, so
   * that it needs no dispatch row here; the promoter sees to it within a tenth of a second. Its id
   * is a UUIDv7 by the database's clock.
   */
  private static final String CALL =
      """
      WITH ended AS (
          SELECT o.job_id, o.outcome AS state, o.attempt, o.lease_token, o.ended_at AS at
          FROM millpond.job_outcome o WHERE o.job_id = ANY (?::uuid[]) AND o.ended_at = now()
          UNION ALL
          SELECT d.job_id, 'dead', d.attempts, s.lease_token, d.dead_at
          FROM millpond.dead_letter d JOIN millpond.job_state s ON s.job_id = d.job_id
          WHERE d.job_id = ANY (?::uuid[]) AND d.dead_at = now()),
      call AS (
          INSERT INTO millpond.job (id, queue, class, kind, payload)
          SELECT (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0')
                  || '7' || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid,
                 ?, ?, ?,
                 json_build_object(
                     'jobId', j.id, 'kind', j.kind, 'queue', j.queue, 'state', e.state,
                     'attempt', e.attempt, 'leaseToken', e.lease_token,
                     'endedAt', to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                     'url', j.options::json ->> 'webhook')::text
          FROM ended e JOIN millpond.job j ON j.id = e.job_id AND j.id = ANY (?::uuid[])
          WHERE j.options::json ->> 'webhook' IS NOT NULL
          RETURNING id, queue, class, kind)
      INSERT INTO millpond.job_state
             (job_id, queue, class, kind, phase, lease_token, attempt, run_at)
      SELECT id, queue, class, kind, 'scheduled', 1, 1, now() FROM call
      """;

  private WebhookStore() {}

  /**
   * Writes a call for each of these jobs that has a webhook and that this transaction has ended or
   * made a dead letter.
   *
   * @param ids jobs, others among them do no harm; any order
   */
  public static void call(Connection tx, Collection<UUID> ids) throws SQLException {
    if (ids.isEmpty()) {
      return;
    }
    Object array = PgArray.uuids(ids.toArray(UUID[]::new));
    try (PreparedStatement statement = tx.prepareStatement(CALL)) {
      int i = 0;
      statement.setObject(++i, array);
      statement.setObject(++i, array);
      statement.setString(++i, WebhookCall.QUEUE);
      statement.setString(++i, WebhookCall.CLASS);
      statement.setString(++i, WebhookCall.KIND);
      statement.setObject(++i, array);
      statement.executeUpdate();
    }
  }
}
