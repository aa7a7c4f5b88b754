package dev.millpond.engine.maintenance.store;

import dev.millpond.engine.lifecycle.store.PgArray;
import dev.millpond.engine.maintenance.store.RetentionStore.Cut;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Removes single jobs where a whole day cannot go: from the default partitions, from days with too
 * many survivors, and dead letters that are old enough. Goes forward by id, so that no row is
 * looked at twice in one pass. The caller owns the transaction. Stateless.
 */
public final class TrimStore {
  private static final String PAGE_END =
      """
      SELECT job_id FROM millpond.job_outcome_%s WHERE job_id > ? AND job_id <= ?
      ORDER BY job_id OFFSET ? LIMIT 1
      """;

  /** The outcome goes first: whoever deletes it removes the job. */
  private static final String OUTCOMES =
      """
      DELETE FROM millpond.job_outcome_%s o
      WHERE o.job_id > ? AND o.job_id <= ? AND o.job_id < millpond.uuid_floor(?)
        AND o.ended_at < CASE o.outcome WHEN 'succeeded' THEN ? ELSE ? END
        AND NOT EXISTS (SELECT FROM millpond.job_state s WHERE s.job_id = o.job_id)
        AND NOT o.job_id = ANY (?::uuid[])
      RETURNING o.job_id
      """;

  /** A redrive locks the state row first; one that is under way has the job. */
  private static final String DEAD =
      """
      DELETE FROM millpond.job_state WHERE job_id = ANY (ARRAY (
          SELECT s.job_id FROM millpond.dead_letter d
          JOIN millpond.job_state s ON s.job_id = d.job_id AND s.phase = 'dead'
          WHERE d.dead_at < ? AND d.job_id < millpond.uuid_floor(?)
          ORDER BY d.dead_at, d.job_id LIMIT ? FOR UPDATE OF s SKIP LOCKED))
      RETURNING job_id, queue, kind
      """;

  private static final String RESULTS_END =
      """
      SELECT job_id FROM millpond.job_result WHERE job_id > ? AND job_id <= ?
      ORDER BY job_id OFFSET ? LIMIT 1
      """;

  private static final String RESULTS =
      """
      DELETE FROM millpond.job_result r
      WHERE r.job_id > ? AND r.job_id <= ?
        AND EXISTS (SELECT FROM millpond.job_outcome_%s o
                    WHERE o.job_id = r.job_id AND o.ended_at < ?)
      """;

  /** What belongs to a job in tables of its own key, beside the partitioned ones. */
  private static final List<String> BESIDE =
      List.of("dead_letter", "job_result", "job_expiry", "cancel_notice");

  private TrimStore() {}

  /**
   * What a page came to.
   *
   * @param to where the next one begins; null after the last
   */
  public record Page(int removed, @Nullable UUID to) {}

  /** Whether a part has ended jobs after an id. */
  public static boolean any(Connection tx, Part part, UUID after) throws SQLException {
    return part.pageEnd(tx, part.sql(PAGE_END), after, 1) != null;
  }

  /**
   * Removes the ended jobs of one page that are old enough.
   *
   * @param named jobs to keep whatever became of them
   * @param rows ended jobs of a page
   */
  public static Page trim(Connection tx, Part part, UUID after, Cut cut, Set<UUID> named, int rows)
      throws SQLException {
    UUID end = part.pageEnd(tx, part.sql(PAGE_END), after, rows);
    UUID to = end == null ? part.upTo() : end;
    List<UUID> removed = new ArrayList<>();
    try (PreparedStatement statement = tx.prepareStatement(part.sql(OUTCOMES))) {
      statement.setObject(1, after);
      statement.setObject(2, to);
      statement.setObject(3, cut.unkeyed());
      statement.setObject(4, cut.succeeded());
      statement.setObject(5, cut.cancelled());
      List<UUID> here = named.stream().filter(part::has).toList();
      statement.setObject(6, PgArray.uuids(here.toArray(UUID[]::new)));
      try (ResultSet ids = statement.executeQuery()) {
        while (ids.next()) {
          removed.add(ids.getObject(1, UUID.class));
        }
      }
    }
    removeRest(tx, "_" + part.suffix(), removed, cut);
    return new Page(removed.size(), end);
  }

  /**
   * Removes a page of the results that are kept apart of a day that is to be dropped: those of jobs
   * that are old enough to go.
   */
  public static Page removeResults(Connection tx, Part part, UUID after, Cut cut, int rows)
      throws SQLException {
    UUID end = part.pageEnd(tx, RESULTS_END, after, rows);
    try (PreparedStatement statement = tx.prepareStatement(part.sql(RESULTS))) {
      statement.setObject(1, after);
      statement.setObject(2, end == null ? part.upTo() : end);
      statement.setObject(3, cut.succeeded());
      return new Page(statement.executeUpdate(), end);
    }
  }

  /** Whether there are results in a range. */
  public static boolean anyResults(Connection tx, Part part, UUID after) throws SQLException {
    return part.pageEnd(tx, RESULTS_END, after, 1) != null;
  }

  /** Dead letters that were removed, by queue and kind. */
  public record Removed(int jobs, Map<String, Integer> sorts) {}

  /** Removes a page of the oldest dead letters, with their jobs. */
  public static Removed removeDead(Connection tx, Cut cut, int rows) throws SQLException {
    List<UUID> ids = new ArrayList<>();
    Map<String, Integer> sorts = new TreeMap<>();
    try (PreparedStatement statement = tx.prepareStatement(DEAD)) {
      statement.setObject(1, cut.dead());
      statement.setObject(2, cut.unkeyed());
      statement.setInt(3, rows);
      try (ResultSet dead = statement.executeQuery()) {
        while (dead.next()) {
          ids.add(dead.getObject(1, UUID.class));
          sorts.merge(dead.getString(2) + "/" + dead.getString(3), 1, Integer::sum);
        }
      }
    }
    removeRest(tx, "", ids, cut);
    return new Removed(ids.size(), sorts);
  }

  /** Everything else of jobs whose outcome or state row has just been deleted. */
  private static void removeRest(Connection tx, String suffix, List<UUID> ids, Cut cut)
      throws SQLException {
    if (ids.isEmpty()) {
      return;
    }
    List<UUID> sorted = ids.stream().sorted(PgArray.UUID_ORDER).toList();
    PgArray array = PgArray.uuids(sorted.toArray(UUID[]::new));
    for (String table : Part.TABLES) {
      String key = table.equals("job") ? "id" : "job_id";
      String delete =
          "DELETE FROM millpond.%1$s WHERE %2$s = ANY (?::uuid[]) AND %2$s BETWEEN ? AND ?"
              .formatted(table + suffix, key);
      try (PreparedStatement statement = tx.prepareStatement(delete)) {
        statement.setObject(1, array);
        statement.setObject(2, sorted.getFirst());
        statement.setObject(3, sorted.getLast());
        statement.executeUpdate();
      }
    }
    for (String table : BESIDE) {
      try (PreparedStatement statement =
          tx.prepareStatement(
              "DELETE FROM millpond." + table + " WHERE job_id = ANY (?::uuid[])")) {
        statement.setObject(1, array);
        statement.executeUpdate();
      }
    }
    RetentionStore.remember(tx, cut.unkeyed());
  }
}
