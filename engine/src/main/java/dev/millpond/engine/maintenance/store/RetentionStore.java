package dev.millpond.engine.maintenance.store;

import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.lifecycle.store.PgArray;
import dev.millpond.engine.lifecycle.store.SettingStore;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.time.Duration;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Drops the partitions of a day and keeps its survivors (rule R18). The caller owns the
 * transaction. Stateless.
 *
 * <p>Why nothing is lost: the seal keeps rows from coming into the day's jobs, and jobs in it only
 * end. So whoever must stay is among those that {@link SurvivorStore} finds afterwards without any
 * lock; what has become of them is copied under the lock, as it is then.
 *
 * <p>Why nobody stalls: the parents are locked all at once and only when no transaction has held
 * them for longer than the patience; writers wait for what is copied, not for the look.
 */
public final class RetentionStore {
  /** Jobs made before this instant may be gone, as RFC 3339. */
  public static final String HORIZON = "retention.horizon";

  /** An id may be five minutes off the database's clock; the rest is for good measure. */
  private static final Duration MARGIN = Duration.ofMinutes(15);

  /**
   * A key lives on in the key of a request that was made while it lived, and that names its job.
   */
  private static final String CUT =
      """
      SELECT now(), now() - ? * interval '1 millisecond', now() - ? * interval '1 millisecond',
             now() - ? * interval '1 millisecond',
             now() - ? * interval '1 millisecond'
                   - 2 * coalesce((SELECT value::interval FROM millpond.setting WHERE key = ?),
                                  interval '24 hours')
      """;

  private static final String DAYS =
      """
      SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
      WHERE i.inhparent = 'millpond.job'::regclass AND c.relname ~ '^job_p[0-9]{8}$'
      ORDER BY c.relname
      """;

  /** Ended jobs that a dispatch row still names: its claim will ask for them. */
  private static final String NAMED =
      """
      SELECT o.job_id
      FROM (SELECT unnest(job_ids) AS id FROM millpond.dispatch
            WHERE id <= millpond.uuid_floor(?)) AS d
      JOIN millpond.job_outcome o ON o.job_id = d.id AND o.job_id <= millpond.uuid_floor(?)
      LIMIT ?
      """;

  /** Keeps rows out of the day's jobs, and vacuum out of all parts that a drop has to lock. */
  private static final String SEAL =
      """
      LOCK TABLE ONLY millpond.job_%s IN SHARE MODE NOWAIT;
      LOCK TABLE ONLY millpond.job_outcome_%s, ONLY millpond.job_attempt_%s, ONLY millpond.job_log_%s
          IN SHARE UPDATE EXCLUSIVE MODE NOWAIT
      """;

  private static final String SEAL_DEFAULT =
      """
      LOCK TABLE ONLY millpond.job_default, ONLY millpond.job_outcome_default,
                 ONLY millpond.job_attempt_default, ONLY millpond.job_log_default
          IN SHARE UPDATE EXCLUSIVE MODE NOWAIT
      """;

  private static final String HOLDERS =
      """
      SELECT DISTINCT virtualtransaction FROM pg_locks
      WHERE locktype = 'relation' AND granted AND pid IS DISTINCT FROM pg_backend_pid()
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND relation IN ('millpond.job'::regclass, 'millpond.job_outcome'::regclass,
                         'millpond.job_attempt'::regclass, 'millpond.job_log'::regclass)
      """;

  private static final String LOCK =
      """
      LOCK TABLE ONLY millpond.job, ONLY millpond.job_outcome, ONLY millpond.job_attempt,
                 ONLY millpond.job_log IN ACCESS EXCLUSIVE MODE
      """;

  private static final String REMEMBER =
      """
      INSERT INTO millpond.setting AS s (key, value) VALUES (?, ?)
      ON CONFLICT (key) DO UPDATE SET value = excluded.value, changed_at = now()
          WHERE s.value::timestamptz < excluded.value::timestamptz
      """;

  /** A drop that takes longer than this under its locks gives up. */
  private static final int REPLACE_MILLIS = 5_000;

  private RetentionStore() {}

  /**
   * What is old enough, by the database's clock.
   *
   * @param now of the database
   * @param succeeded jobs that succeeded before it may go
   * @param cancelled jobs that were cancelled before it may go
   * @param dead letters from before it may go; null for none
   * @param unkeyed no key refers to a job made before it
   */
  public record Cut(
      OffsetDateTime now,
      OffsetDateTime succeeded,
      OffsetDateTime cancelled,
      @Nullable OffsetDateTime dead,
      OffsetDateTime unkeyed) {

    /** The later one of the ends before which jobs may go. */
    OffsetDateTime ended() {
      return succeeded.isAfter(cancelled) ? succeeded : cancelled;
    }

    /** Whether all jobs of a day may be old enough, and nobody makes its partitions again. */
    boolean covers(LocalDate day, int keptBehind) {
      OffsetDateTime end = day.plusDays(1).atStartOfDay().atOffset(ZoneOffset.UTC);
      return end.isBefore(unkeyed)
          && end.plus(MARGIN).isBefore(ended())
          && day.isBefore(now.toLocalDate().minusDays(keptBehind));
    }
  }

  /** What became of a day. */
  public sealed interface Drop {
    /**
     * Dropped.
     *
     * @param removed jobs that went with it
     * @param moved survivors, which are in the default partitions now
     * @param failures of locks before
     * @param locked for how long nobody else could write
     */
    record Done(long removed, int moved, int failures, Duration locked) implements Drop {}

    /** More survivors, or more bytes of them, than are moved at once. */
    record TooMany() implements Drop {}

    /** The locks were not to be had. */
    record Locked(int failures) implements Drop {}

    /** This process leads no more. */
    record NotLeader() implements Drop {}
  }

  /**
   * How a drop goes about it.
   *
   * @param survivors that are moved at most
   * @param bytes of their texts that are moved at most: they are written while all others wait
   * @param page jobs that one statement looks at
   * @param patience for a lock; longer than any transaction should hold one, shorter than writers
   *     would mind
   * @param tries for the locks
   */
  public record Manner(int survivors, long bytes, int page, Duration patience, int tries) {}

  /** Reads the clock and the longest life of keys. */
  public static Cut cut(
      Connection tx, Duration succeeded, Duration cancelled, @Nullable Duration dead)
      throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(CUT)) {
      statement.setLong(1, succeeded.toMillis());
      statement.setLong(2, cancelled.toMillis());
      statement.setLong(3, dead == null ? 0 : dead.toMillis());
      statement.setLong(4, MARGIN.toMillis());
      statement.setString(5, SettingStore.KEYS_LIVE_LONGEST);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return new Cut(
            row.getObject(1, OffsetDateTime.class),
            row.getObject(2, OffsetDateTime.class),
            row.getObject(3, OffsetDateTime.class),
            dead == null ? null : row.getObject(4, OffsetDateTime.class),
            row.getObject(5, OffsetDateTime.class));
      }
    }
  }

  /**
   * Days that may be dropped, oldest first.
   *
   * @param keptBehind days before today whose partitions are made when they are missing
   */
  public static List<LocalDate> days(Connection tx, Cut cut, int keptBehind) throws SQLException {
    List<LocalDate> days = new ArrayList<>();
    try (Statement statement = tx.createStatement();
        ResultSet rows = statement.executeQuery(DAYS)) {
      while (rows.next()) {
        String name = rows.getString(1);
        LocalDate day =
            LocalDate.parse(name.substring("job_p".length()), DateTimeFormatter.BASIC_ISO_DATE);
        if (cut.covers(day, keptBehind)) {
          days.add(day);
        }
      }
    }
    return days;
  }

  /**
   * Ended jobs that a dispatch row names; rows that are made from now on name none of them.
   *
   * @return null when there are more than the limit
   */
  public static @Nullable Set<UUID> named(Connection tx, Cut cut, int limit) throws SQLException {
    Set<UUID> named = new HashSet<>();
    try (PreparedStatement statement = tx.prepareStatement(NAMED)) {
      OffsetDateTime before = cut.ended().plus(MARGIN);
      statement.setObject(1, before);
      statement.setObject(2, before);
      statement.setInt(3, limit + 1);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          named.add(rows.getObject(1, UUID.class));
        }
      }
    }
    return named.size() > limit ? null : named;
  }

  /**
   * Drops a day, or does nothing.
   *
   * @param epoch of the leader, confirmed before anything is written
   * @param named jobs to keep whatever became of them
   */
  public static Drop drop(
      Connection tx, long epoch, LocalDate day, Cut cut, Set<UUID> named, Manner manner)
      throws SQLException {
    Part part = Part.of(day);
    if (!tried(tx, () -> execute(tx, part.sql(SEAL) + ";" + SEAL_DEFAULT))) {
      return new Drop.Locked(1);
    }
    Set<UUID> survivors = new HashSet<>();
    named.stream().filter(part::has).forEach(survivors::add);
    long jobs = SurvivorStore.find(tx, part, cut, manner, survivors);
    if (survivors.size() > manner.survivors()
        || SurvivorStore.bytes(tx, part, survivors) > manner.bytes()) {
      return new Drop.TooMany();
    }
    for (int failures = 0; failures < manner.tries(); failures++) {
      if (failures > 0) {
        pause(manner.patience().multipliedBy(1 + ThreadLocalRandom.current().nextInt(4)));
      }
      if (pinned(tx, manner.patience())) {
        continue;
      }
      if (!LeaderStore.confirm(tx, epoch)) {
        return new Drop.NotLeader();
      }
      int[] moved = new int[1];
      long asked = System.nanoTime();
      if (tried(
          tx,
          () -> {
            lock(tx, manner.patience());
            moved[0] = replace(tx, part, survivors);
          })) {
        remember(tx, day.plusDays(1).atStartOfDay().atOffset(ZoneOffset.UTC));
        Duration locked = Duration.ofNanos(System.nanoTime() - asked);
        return new Drop.Done(jobs - moved[0], moved[0], failures, locked);
      }
    }
    return new Drop.Locked(manner.tries());
  }

  /** Statements that may fail for want of a lock. */
  private interface Steps {
    void run() throws SQLException;
  }

  /** Runs them; false, and nothing is done, when a lock was not to be had. */
  private static boolean tried(Connection tx, Steps steps) throws SQLException {
    Savepoint before = tx.setSavepoint();
    try {
      steps.run();
      return true;
    } catch (SQLException e) {
      if (Pg.fault(e) != Pg.Fault.LOCK && Pg.fault(e) != Pg.Fault.REPEAT) {
        throw e;
      }
      tx.rollback(before);
      return false;
    }
  }

  /**
   * Whether a transaction holds one of the tables for longer than the patience: a lock that waits
   * for it would only make everybody else wait.
   */
  private static boolean pinned(Connection tx, Duration patience) throws SQLException {
    Set<String> first = holders(tx);
    if (first.isEmpty()) {
      return false;
    }
    pause(patience);
    Set<String> second = holders(tx);
    second.retainAll(first);
    return !second.isEmpty();
  }

  private static Set<String> holders(Connection tx) throws SQLException {
    Set<String> holders = new HashSet<>();
    try (Statement statement = tx.createStatement();
        ResultSet rows = statement.executeQuery(HOLDERS)) {
      while (rows.next()) {
        holders.add(rows.getString(1));
      }
    }
    return holders;
  }

  private static void pause(Duration time) {
    LockSupport.parkNanos(time.toNanos());
  }

  /** Locks the parents, each against everybody, within the patience in all. */
  private static void lock(Connection tx, Duration patience) throws SQLException {
    long millis = patience.toMillis();
    execute(tx, "SET LOCAL lock_timeout = " + millis + "; SET LOCAL statement_timeout = " + millis);
    execute(tx, LOCK);
    // Nothing waits from here on: who could hold a partition would hold its parent.
    execute(tx, "SET LOCAL statement_timeout = " + REPLACE_MILLIS);
  }

  /** Puts the survivors, as they are now, into the default partitions, and drops the day's. */
  private static int replace(Connection tx, Part part, Collection<UUID> survivors)
      throws SQLException {
    StringBuilder detach = new StringBuilder();
    StringBuilder drop = new StringBuilder();
    for (String parent : Part.TABLES) {
      String table = part.table(parent);
      detach.append("ALTER TABLE millpond.%s DETACH PARTITION %s;".formatted(parent, table));
      drop.append("DROP TABLE %s;".formatted(table));
    }
    execute(tx, detach.toString());
    int moved = 0;
    if (!survivors.isEmpty()) {
      PgArray ids =
          PgArray.uuids(survivors.stream().sorted(PgArray.UUID_ORDER).toArray(UUID[]::new));
      for (String parent : Part.TABLES) {
        String key = parent.equals("job") ? "id" : "job_id";
        String move =
            "INSERT INTO millpond.%s SELECT * FROM %s WHERE %s = ANY (?::uuid[])"
                .formatted(parent, part.table(parent), key);
        try (PreparedStatement statement = tx.prepareStatement(move)) {
          statement.setObject(1, ids);
          int rows = statement.executeUpdate();
          moved = parent.equals("job") ? rows : moved;
        }
      }
    }
    execute(tx, drop.toString());
    return moved;
  }

  /** Notes that jobs made before the instant may be gone: the books do not miss them. */
  static void remember(Connection tx, OffsetDateTime horizon) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(REMEMBER)) {
      statement.setString(1, HORIZON);
      statement.setString(2, horizon.toInstant().toString());
      statement.executeUpdate();
    }
  }

  private static void execute(Connection tx, String sql) throws SQLException {
    try (Statement statement = tx.createStatement()) {
      statement.execute(sql);
    }
  }
}
