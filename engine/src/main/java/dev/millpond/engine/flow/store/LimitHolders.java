package dev.millpond.engine.flow.store;

/**
 * Who holds the places of limits (ADR 32), as parts of statements over a row {@code l} of {@code
 * flow_limit}. They are counted from the mark of that row on, so that what has ended, and
 * somebody's snapshot keeps, is not walked over again.
 */
public final class LimitHolders {
  /** From where on holders are counted: from the beginning, unless there is a mark that holds. */
  public static final String MARK =
      """
       CROSS JOIN LATERAL (
          SELECT l.settled AND coalesce(l.count_all_at > clock_timestamp(), false) AS holds) h
       CROSS JOIN LATERAL (
          SELECT CASE WHEN h.holds THEN l.counted_from ELSE '-infinity' END AS since,
                 CASE WHEN h.holds THEN l.elders ELSE '{}' END AS elders) m
      """;

  /** Rows of those who run of a queue, and since when; after {@link #MARK}. */
  public static final String OF_QUEUE = of("queue");

  /** The same of a kind. */
  public static final String OF_KIND = of("kind");

  /** How many there are; after {@link #MARK}. */
  public static final String RUNNING =
      """
      CASE WHEN l.concurrency IS NULL THEN 0
           WHEN l.scope = 'queue' THEN (SELECT count(*) FROM (%s) r)
           ELSE (SELECT count(*) FROM (%s) r) END
      """
          .formatted(OF_QUEUE, OF_KIND);

  private LimitHolders() {}

  /**
   * Rows with a session are those that run; said so, elders are looked up by the primary key, and
   * not in an index of all that run.
   */
  private static String of(String column) {
    return """
    SELECT s.job_id, s.started_at FROM millpond.job_state s
    WHERE s.job_id = ANY (m.elders) AND s.session IS NOT NULL
    UNION ALL
    SELECT s.job_id, s.started_at FROM millpond.job_state s
    WHERE s.phase = 'running' AND s.%s = l.name AND s.started_at >= m.since
      AND s.job_id <> ALL (m.elders)
    """
        .formatted(column);
  }
}
