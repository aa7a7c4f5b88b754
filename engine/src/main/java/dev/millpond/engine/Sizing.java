package dev.millpond.engine;

/**
 * What follows from the number of processors where nobody says otherwise. Everything else of the
 * hot path does not: one connection writes and one claims whatever the machine, and the sizes of
 * batches, flushes and windows follow from round trips and from how long jobs take.
 *
 * @param processors of this JVM, as the operating system or its container allows
 * @param slots jobs a worker runs at once: eight for each processor, since handlers mostly wait; a
 *     worker whose handlers compute wants as many as there are processors
 * @param pool connections for everything that is not hot: reads over HTTP, the maintenance roles
 * @param handlerPool connections for the transactions of handlers; opened when needed
 */
public record Sizing(int processors, int slots, int pool, int handlerPool) {
  /** The maintenance roles together; fewer would make them wait for each other. */
  private static final int POOL_LEAST = 8;

  /** More statements at once than this do not make a PostgreSQL faster that has one disk. */
  private static final int POOL_MOST = 32;

  private static final int SLOTS_LEAST = 16;
  private static final int SLOTS_PER_PROCESSOR = 8;

  /** Connections of a worker's claim from PostgreSQL: one claims, one loads. */
  private static final int CLAIM = 2;

  /** Connections that write: submits and plain ends, and everything else. */
  private static final int WRITERS = 2;

  /** In reserve for the first of them, for a while after it was lost (ADR 28). */
  private static final int SPARE = 1;

  /** Connections for a worker's beats alone. */
  private static final int BEATS = 1;

  /** For the notes on jobs that run alone (ADR 25); opened when there are any. */
  private static final int NOTES = 1;

  /**
   * Maintenance roles that must not be held up, each with a connection of its own (ADR 26): the
   * leader's renewal, promoter, reaper, feeder and reconciler.
   */
  public static final int PROMPT_ROLES = 5;

  /** The connection on which a process hears the bell. */
  private static final int BELL = 1;

  /** Of this JVM. */
  public static Sizing here() {
    return of(Runtime.getRuntime().availableProcessors());
  }

  public static Sizing of(int processors) {
    return new Sizing(
        processors,
        Math.clamp((long) SLOTS_PER_PROCESSOR * processors, SLOTS_LEAST, MillpondConfig.SLOTS_MAX),
        Math.clamp(processors / 2, POOL_LEAST, POOL_MOST),
        Math.clamp(processors, POOL_LEAST, POOL_MOST));
  }

  /**
   * The most connections to PostgreSQL that a process of all roles opens.
   *
   * @param redisServers each of which has its own claims
   */
  public int connectionsMost(int redisServers) {
    return WRITERS
        + SPARE
        + CLAIM
        + BEATS
        + NOTES
        + BELL
        + PROMPT_ROLES
        + redisServers
        + pool
        + handlerPool;
  }
}
