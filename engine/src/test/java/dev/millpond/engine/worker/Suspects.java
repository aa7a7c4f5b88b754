package dev.millpond.engine.worker;

import dev.millpond.engine.Database;

/** Jobs that were lost with their process, as the reaper leaves them. */
public final class Suspects {
  private Suspects() {}

  /** As if everything that waits, but jobs of the kind "other", had been lost with its process. */
  public static void all(Database database, int losses) {
    database.update(
        """
        WITH lost AS (
            DELETE FROM millpond.dispatch WHERE claimed_by IS NULL AND kind <> 'other'
            RETURNING queue, class, kind, job_ids),
        one AS (
            INSERT INTO millpond.dispatch (id, queue, class, kind, shard, job_ids, tokens)
            SELECT gen_random_uuid(), queue, class, kind, 0, ARRAY[id], ARRAY[2]
            FROM lost, unnest(job_ids) AS id)
        INSERT INTO millpond.job_state
               (job_id, queue, class, kind, phase, lease_token, attempt, losses)
        SELECT id, queue, class, kind, 'runnable', 2, 1, ? FROM lost, unnest(job_ids) AS id
        """,
        losses);
  }
}
