package dev.millpond.engine.query.store;

import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.Lanes;
import dev.millpond.engine.dispatch.store.DispatchStore;
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
import java.util.List;
import java.util.Map;

/** Reads the queues with their counts. The caller owns the transaction. Stateless. */
public final class QueueReadStore {
  private static final String DEPTHS =
      "SELECT queue, class, greatest(sum(delta), 0) FROM millpond.queue_depth GROUP BY queue,"
          + " class";

  private static final String SCHEDULED =
      """
      SELECT queue, count(*) FROM (
          SELECT queue FROM millpond.job_state WHERE phase IN ('scheduled', 'waiting') LIMIT ?) AS s
      GROUP BY queue
      """;

  private static final String DEAD =
      "SELECT queue, count(*) FROM (SELECT queue FROM millpond.dead_letter LIMIT ?) AS d GROUP BY"
          + " queue";

  /** Ids are time-ordered: the first of each queue, class and kind is its oldest. */
  private static final String OLDEST =
      """
      SELECT q.queue, extract(epoch FROM now() - min(o.created_at)) * 1000
      FROM unnest(?::text[], ?::text[], ?::text[]) AS q (queue, class, kind)
      CROSS JOIN LATERAL (
          SELECT d.created_at FROM millpond.dispatch d
          WHERE d.queue = q.queue AND d.class = q.class AND d.kind = q.kind
          ORDER BY d.id LIMIT 1) AS o
      GROUP BY q.queue
      """;

  /** Rows that are counted; beyond it a count stays at this. */
  private static final int COUNT_MAX = 1_000_000;

  private QueueReadStore() {}

  public static List<QueueView> queues(Connection tx, List<String> names, Lanes lanes)
      throws SQLException {
    Map<Lane, Long> depths = new HashMap<>();
    try (Statement statement = tx.createStatement();
        ResultSet rows = statement.executeQuery(DEPTHS)) {
      while (rows.next()) {
        depths.put(new Lane(rows.getString(1), rows.getString(2)), rows.getLong(3));
      }
    }
    Map<String, Long> scheduled = counts(tx, SCHEDULED);
    Map<String, Long> dead = counts(tx, DEAD);
    Map<String, Long> oldest = oldest(tx);
    List<QueueView> views = new ArrayList<>();
    for (String name : names) {
      List<ClassDepth> classes = new ArrayList<>();
      long depth = 0;
      for (String priorityClass : lanes.classes()) {
        Lane lane = new Lane(name, priorityClass);
        long of = depths.getOrDefault(lane, 0L);
        depth += of;
        classes.add(new ClassDepth(priorityClass, of, lanes.weight(lane)));
      }
      views.add(
          new QueueView(
              name,
              depth,
              scheduled.getOrDefault(name, 0L),
              dead.getOrDefault(name, 0L),
              oldest.getOrDefault(name, 0L),
              classes));
    }
    return views;
  }

  private static Map<String, Long> counts(Connection tx, String sql) throws SQLException {
    Map<String, Long> counts = new HashMap<>();
    try (PreparedStatement statement = tx.prepareStatement(sql)) {
      statement.setInt(1, COUNT_MAX);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          counts.put(rows.getString(1), rows.getLong(2));
        }
      }
    }
    return counts;
  }

  private static Map<String, Long> oldest(Connection tx) throws SQLException {
    List<DispatchStore.Sort> sorts = DispatchStore.sorts(tx);
    Map<String, Long> oldest = new HashMap<>();
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
