package dev.millpond.engine.maintenance.store;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What is known of the processes that run jobs, or did, from the rows of their sessions. All by the
 * database's clock, as of one statement.
 */
public final class Fates {
  /** A process that is lost, and has not been heard for two leases, is not merely cut off. */
  private static final String READ =
      """
      SELECT coalesce(process, session),
             extract(epoch FROM now() - max(beat_at) FILTER (WHERE NOT fenced)) * 1000,
             bool_or(died), bool_and(beat_at < now() - 2 * lease)
      FROM millpond.worker GROUP BY 1
      """;

  private final Map<UUID, Fate> processes;

  private record Fate(@Nullable Long silentMillis, boolean died, boolean longSilent) {}

  private Fates(Map<UUID, Fate> processes) {
    this.processes = processes;
  }

  /** Reads them. The caller owns the transaction. */
  public static Fates read(Connection connection) throws SQLException {
    Map<UUID, Fate> processes = new HashMap<>();
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(READ)) {
      while (rows.next()) {
        UUID process = rows.getObject(1, UUID.class);
        double silentMillis = rows.getDouble(2);
        Long silent = rows.wasNull() ? null : Math.round(silentMillis);
        processes.put(process, new Fate(silent, rows.getBoolean(3), rows.getBoolean(4)));
      }
    }
    return new Fates(processes);
  }

  /** All processes of which anything is known. */
  public Set<UUID> known() {
    return Set.copyOf(processes.keySet());
  }

  /** Whether anything is known of it: what was closed, or was lost long ago, is forgotten. */
  public boolean knows(UUID process) {
    return processes.containsKey(process);
  }

  /**
   * Whether all its sessions are fenced: it has died, or is cut off and has not come back so far.
   */
  public boolean lost(UUID process) {
    Fate fate = processes.get(process);
    return fate != null && fate.silentMillis() == null;
  }

  /** Whether it is known to have died. */
  public boolean died(UUID process) {
    Fate fate = processes.get(process);
    return fate != null && fate.died();
  }

  /** Whether it has died or, for all that is known, must have: lost and not heard of for long. */
  public boolean gone(UUID process) {
    Fate fate = processes.get(process);
    return fate == null || (fate.silentMillis() == null && (fate.died() || fate.longSilent()));
  }

  /** Whether it has beaten within the time. */
  public boolean heardWithin(UUID process, Duration time) {
    Fate fate = processes.get(process);
    return fate != null && fate.silentMillis() != null && fate.silentMillis() <= time.toMillis();
  }

  /** Whether more processes than not have been silent for this long, of those that are not lost. */
  public boolean mostSilentFor(Duration time) {
    long live = processes.values().stream().filter(fate -> fate.silentMillis() != null).count();
    long silent =
        processes.values().stream()
            .filter(f -> f.silentMillis() != null && f.silentMillis() > time.toMillis())
            .count();
    return 2 * silent > live;
  }
}
