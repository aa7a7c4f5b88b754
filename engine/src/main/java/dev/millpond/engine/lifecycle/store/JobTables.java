package dev.millpond.engine.lifecycle.store;

/** The tables whose partitions come and go. */
public final class JobTables {
  /**
   * The first statement of a transaction that reads them in one snapshot. It takes no snapshot, so
   * the one to come sees what a drop of partitions has moved: without it, a reader that waited for
   * the drop would look for the survivors where they no longer are.
   */
  public static final String HOLD =
      """
      LOCK TABLE ONLY millpond.job, ONLY millpond.job_outcome, ONLY millpond.job_attempt,
                 ONLY millpond.job_log IN ACCESS SHARE MODE
      """;

  private JobTables() {}
}
