package dev.millpond.engine.query.store;

import dev.millpond.engine.admission.Amount;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.store.DepthStore;
import dev.millpond.engine.dispatch.store.DispatchStore;
import dev.millpond.engine.flow.FlowSettings;
import dev.millpond.engine.flow.Pause.Scope;
import dev.millpond.engine.lifecycle.store.PgArray;
import dev.millpond.engine.query.QueueView;
import dev.millpond.engine.query.QueueView.ClassDepth;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Reads the queues with their counts. The caller owns the transaction. Stateless. */
public final class QueueReadStore {
  private static final String DEPTHS =
      """
      SELECT d.queue, d.class, greatest(sum(d.delta), 0), %s, greatest(sum(d.bytes), 0)
      FROM millpond.queue_depth d GROUP BY d.queue, d.class
      """
          .formatted(DepthStore.RATE_NOW);

  private static final String CLOSED =
      "SELECT queue, high_watermark, high_bytes FROM millpond.queue_gate WHERE closed";

  /** The state rows are small; the dead letters, one for each dead row, are not. */
  private static final String RESTING =
      """
      SELECT queue, count(*) FILTER (WHERE phase <> 'dead'), count(*) FILTER (WHERE phase = 'dead')
      FROM (SELECT queue, phase FROM millpond.job_state
            WHERE phase IN ('scheduled', 'waiting', 'dead') LIMIT ?) AS s
      GROUP BY queue
      """;

  /**
   * Ids are time-ordered: the first of each queue, class and kind is its oldest. See {@link
   * DispatchStore} for how the kind is asked.
   */
  private static final String OLDEST =
      """
      SELECT q.queue, extract(epoch FROM now() - min(o.created_at)) * 1000
      FROM unnest(?::text[], ?::text[], ?::text[]) AS q (queue, class, kind)
      CROSS JOIN LATERAL (
          SELECT d.created_at FROM millpond.dispatch d
          WHERE d.queue = q.queue AND d.class = q.class
            AND d.kind >= q.kind AND d.kind <= q.kind
          ORDER BY d.kind, d.id LIMIT 1) AS o
      GROUP BY q.queue
      """;

  /** Rows that are counted; beyond it a count stays at this. */
  private static final int COUNT_MAX = 1_000_000;

  private QueueReadStore() {}

  /**
   * Jobs of a queue that are in no one's way.
   *
   * @param scheduled or waiting
   */
  public record Resting(long scheduled, long dead) {
    private static final Resting NONE = new Resting(0, 0);
  }

  /** Counts the resting jobs by queue; reads all of their rows, up to a million. */
  public static Map<String, Resting> resting(Connection tx) throws SQLException {
    Map<String, Resting> counts = new HashMap<>();
    try (PreparedStatement statement = tx.prepareStatement(RESTING)) {
      statement.setInt(1, COUNT_MAX);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          counts.put(rows.getString(1), new Resting(rows.getLong(2), rows.getLong(3)));
        }
      }
    }
    return counts;
  }

  /**
   * The queues with these names.
   *
   * @param sorts that have dispatch rows
   * @param flow the settings, for the weights
   * @param counts of {@link #resting}, maybe of a moment ago
   */
  public static List<QueueView> queues(
      Connection tx,
      List<String> names,
      List<DispatchStore.Sort> sorts,
      FlowSettings flow,
      Map<String, Resting> counts)
      throws SQLException {
    Map<Lane, Long> depths = new HashMap<>();
    Map<String, Double> rates = new HashMap<>();
    Map<String, Long> bytes = new HashMap<>();
    try (Statement statement = tx.createStatement();
        ResultSet rows = statement.executeQuery(DEPTHS)) {
      while (rows.next()) {
        depths.put(new Lane(rows.getString(1), rows.getString(2)), rows.getLong(3));
        rates.merge(rows.getString(1), rows.getDouble(4), Double::sum);
        bytes.merge(rows.getString(1), rows.getLong(5), Long::sum);
      }
    }
    Map<String, Amount> closed = closed(tx);
    Map<String, Long> oldest = oldest(tx, sorts);
    List<QueueView> views = new ArrayList<>();
    for (String name : names) {
      List<ClassDepth> classes = new ArrayList<>();
      long depth = 0;
      Set<String> present = new LinkedHashSet<>(flow.classes().names());
      depths.forEach((lane, jobs) -> {
        if (lane.queue().equals(name) && jobs > 0) {
          present.add(lane.priorityClass()); // of other processes, or of an earlier configuration
        }
      });
      for (String priorityClass : present) {
        Lane lane = new Lane(name, priorityClass);
        long of = depths.getOrDefault(lane, 0L);
        depth += of;
        classes.add(new ClassDepth(priorityClass, of, flow.classWeight(lane)));
      }
      Resting resting = counts.getOrDefault(name, Resting.NONE);
      views.add(
          new QueueView(
              name,
              depth,
              bytes.getOrDefault(name, 0L),
              resting.scheduled(),
              resting.dead(),
              oldest.getOrDefault(name, 0L),
              flow.queueWeight(name),
              flow.aging(name),
              flow.watermarks(name),
              flow.watermarks(name).high().equals(closed.get(name)),
              rates.getOrDefault(name, 0.0),
              flow.pauses().of(Scope.QUEUE, name),
              classes));
    }
    return views;
  }

  /** The marks at which closed gates were closed, by queue. */
  private static Map<String, Amount> closed(Connection tx) throws SQLException {
    Map<String, Amount> closed = new HashMap<>();
    try (Statement statement = tx.createStatement();
        ResultSet rows = statement.executeQuery(CLOSED)) {
      while (rows.next()) {
        closed.put(rows.getString(1), new Amount(rows.getLong(2), rows.getLong(3)));
      }
    }
    return closed;
  }

  private static Map<String, Long> oldest(Connection tx, List<DispatchStore.Sort> sorts)
      throws SQLException {
    Map<String, Long> oldest = new HashMap<>();
    if (sorts.isEmpty()) {
      return oldest;
    }
    try (PreparedStatement statement = tx.prepareStatement(OLDEST)) {
      statement.setObject(1, PgArray.texts(sorts, s -> s.lane().queue()));
      statement.setObject(2, PgArray.texts(sorts, s -> s.lane().priorityClass()));
      statement.setObject(3, PgArray.texts(sorts, DispatchStore.Sort::kind));
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          oldest.put(rows.getString(1), Math.max(0, (long) rows.getDouble(2)));
        }
      }
    }
    return oldest;
  }
}
