package dev.millpond.engine.query.store;

import dev.millpond.engine.audit.Actor;
import dev.millpond.engine.audit.store.AuditStore;
import dev.millpond.engine.lifecycle.store.JobTables;
import dev.millpond.engine.query.Replacement;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.UUID;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** What the audit says of a job before and after a change; no payload. Stateless. */
public final class JobFacts {
  private static final String READ =
      """
      SELECT jsonb_strip_nulls(jsonb_build_object(
          'state', coalesce((SELECT o.outcome FROM millpond.job_outcome o WHERE o.job_id = j.id),
                            s.phase, 'runnable'),
          'priorityClass', coalesce(s.class, j.class),
          'runAt', s.run_at,
          'cancelRequested', nullif(s.cancel_requested, false),
          'replacedBy', ?::text))
      FROM millpond.job j LEFT JOIN millpond.job_state s ON s.job_id = j.id
      WHERE j.id = ?::uuid
      """;

  private JobFacts() {}

  /** As JSON; null when there is no such job. */
  public static @Nullable String read(Connection tx, UUID id) throws SQLException {
    return read(tx, id, null);
  }

  private static @Nullable String read(Connection tx, UUID id, @Nullable UUID copy)
      throws SQLException {
    JobTables.hold(tx);
    return AuditStore.json(tx, READ, copy == null ? null : copy.toString(), id.toString());
  }

  /**
   * Makes a change of one job, and writes it down.
   *
   * @param made whether the result says that it was made
   */
  public static <T> T around(
      Connection tx, String action, UUID id, AuditStore.Work<T> change, Predicate<T> made)
      throws SQLException {
    return AuditStore.around(tx, action, id.toString(), () -> read(tx, id), change, made);
  }

  /** Replaces a job by a copy, and writes it down with the id of the copy. */
  public static Replacement replacing(Connection tx, UUID id, AuditStore.Work<Replacement> change)
      throws SQLException {
    if (Actor.current() == null) {
      return change.run();
    }
    String before = read(tx, id);
    Replacement result = change.run();
    if (result instanceof Replacement.Replaced replaced) {
      String after = read(tx, id, replaced.newId());
      AuditStore.write(tx, "dead-letters.edit", id.toString(), before, after);
    }
    return result;
  }
}
