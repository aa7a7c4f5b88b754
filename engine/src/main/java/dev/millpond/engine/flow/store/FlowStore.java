package dev.millpond.engine.flow.store;

import dev.millpond.engine.admission.Watermarks;
import dev.millpond.engine.audit.store.AuditStore;
import dev.millpond.engine.dispatch.PriorityClasses;
import dev.millpond.engine.flow.FlowSettings;
import dev.millpond.engine.flow.QueueChange;
import dev.millpond.engine.flow.QueueFlow;
import dev.millpond.engine.flow.SetMarks;
import dev.millpond.engine.flow.Setting;
import dev.millpond.engine.lifecycle.store.PgArray;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** What operators have set. The caller owns the transaction. Stateless. */
public final class FlowStore {
  /** So that what is read is what held at the version that is read. */
  private static final String ONE_SNAPSHOT =
      "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY";

  private static final String VERSION =
      "SELECT coalesce(max(version), 0) FROM millpond.flow_version";

  /** Taken by whoever changes anything, first of all: changes come one after the other. */
  private static final String GROW =
      """
      INSERT INTO millpond.flow_version AS v (version) VALUES (1)
      ON CONFLICT (one) DO UPDATE SET version = v.version + 1, changed_at = now()
      """;

  private static final String HAVE_QUEUE =
      "INSERT INTO millpond.queue_flow (queue) VALUES (?) ON CONFLICT (queue) DO NOTHING";

  private static final String SET_WEIGHT =
      "UPDATE millpond.queue_flow SET weight = ?::int4 WHERE queue = ?";

  private static final String SET_AGING =
      "UPDATE millpond.queue_flow SET aging_millis = ?::int8 WHERE queue = ?";

  private static final String SET_HIGH =
      "UPDATE millpond.queue_flow SET high_watermark = ?::int8 WHERE queue = ?";

  private static final String SET_LOW =
      "UPDATE millpond.queue_flow SET low_watermark = ?::int8 WHERE queue = ?";

  private static final String SET_HIGH_MIB =
      "UPDATE millpond.queue_flow SET high_mib = ?::int8 WHERE queue = ?";

  private static final String SET_LOW_MIB =
      "UPDATE millpond.queue_flow SET low_mib = ?::int8 WHERE queue = ?";

  private static final String MARKS =
      "SELECT high_watermark, low_watermark, high_mib, low_mib FROM millpond.queue_flow WHERE queue"
          + " = ?";

  private static final String CLEAR_WEIGHTS = "DELETE FROM millpond.class_weight WHERE queue = ?";

  private static final String SET_WEIGHTS =
      """
      INSERT INTO millpond.class_weight (queue, class, weight)
      SELECT ?, unnest(?::text[]), unnest(?::int4[])
      """;

  private static final String FACTS =
      """
      SELECT jsonb_strip_nulls(jsonb_build_object(
          'weight', weight, 'agingMillis', aging_millis,
          'highWatermark', high_watermark, 'lowWatermark', low_watermark,
          'highWatermarkMib', high_mib, 'lowWatermarkMib', low_mib,
          'weights', (SELECT jsonb_object_agg(class, weight) FROM millpond.class_weight
                      WHERE queue = q.name)))
      FROM (SELECT ? AS name) AS q LEFT JOIN millpond.queue_flow f ON f.queue = q.name
      """;

  private FlowStore() {}

  /** What is set for a queue, for the audit. */
  public static @Nullable String facts(Connection tx, String queue) throws SQLException {
    return AuditStore.json(tx, FACTS, queue);
  }

  /** The version of all settings; 0 in a database that somebody has emptied. */
  public static long version(Connection tx) throws SQLException {
    try (Statement statement = tx.createStatement();
        ResultSet row = statement.executeQuery(VERSION)) {
      row.next();
      return row.getLong(1);
    }
  }

  /** Reads them all, as of one moment; the first and only statements of their transaction. */
  public static FlowSettings read(Connection tx, PriorityClasses classes, Watermarks watermarks)
      throws SQLException {
    try (Statement statement = tx.createStatement()) {
      statement.execute(ONE_SNAPSHOT);
    }
    long version = version(tx);
    Map<String, Map<String, Integer>> weights = new HashMap<>();
    try (Statement statement = tx.createStatement();
        ResultSet rows =
            statement.executeQuery("SELECT queue, class, weight FROM millpond.class_weight")) {
      while (rows.next()) {
        weights
            .computeIfAbsent(rows.getString(1), queue -> new HashMap<>())
            .put(rows.getString(2), rows.getInt(3));
      }
    }
    Map<String, QueueFlow> queues = new HashMap<>();
    weights.forEach((queue, set) -> queues.put(queue, new QueueFlow(null, null, set)));
    try (Statement statement = tx.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "SELECT queue, weight, aging_millis, high_watermark, low_watermark,"
                    + " high_mib, low_mib"
                    + " FROM millpond.queue_flow")) {
      while (rows.next()) {
        String queue = rows.getString(1);
        Long aging = rows.getObject(3, Long.class);
        queues.put(
            queue,
            new QueueFlow(
                rows.getObject(2, Integer.class),
                aging == null ? null : Duration.ofMillis(aging),
                marks(rows, 4),
                marks(rows, 6),
                weights.getOrDefault(queue, Map.of())));
      }
    }
    return new FlowSettings(
        version, classes, watermarks, queues, PauseStore.read(tx), LimitStore.read(tx));
  }

  /** To be called before all else of a change. */
  public static void grow(Connection tx) throws SQLException {
    try (Statement statement = tx.createStatement()) {
      statement.executeUpdate(GROW);
    }
  }

  /** Changes settings of a queue. */
  public static void changeQueue(Connection tx, String queue, QueueChange change)
      throws SQLException {
    if (change.sets()) {
      try (PreparedStatement statement = tx.prepareStatement(HAVE_QUEUE)) {
        statement.setString(1, queue);
        statement.executeUpdate();
      }
    }
    set(tx, SET_WEIGHT, queue, change.weight(), Integer::longValue);
    set(tx, SET_AGING, queue, change.aging(), Duration::toMillis);
    set(tx, SET_HIGH, queue, change.highWatermark(), Long::longValue);
    set(tx, SET_LOW, queue, change.lowWatermark(), Long::longValue);
    set(tx, SET_HIGH_MIB, queue, change.highMib(), Long::longValue);
    set(tx, SET_LOW_MIB, queue, change.lowMib(), Long::longValue);
  }

  /** What was set of a queue's watermarks; of others nothing is filled in. */
  public static QueueFlow marks(Connection tx, String queue) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(MARKS)) {
      statement.setString(1, queue);
      try (ResultSet row = statement.executeQuery()) {
        return row.next()
            ? new QueueFlow(null, null, marks(row, 1), marks(row, 3), Map.of())
            : QueueFlow.NONE;
      }
    }
  }

  private static SetMarks marks(ResultSet row, int at) throws SQLException {
    return new SetMarks(row.getObject(at, Long.class), row.getObject(at + 1, Long.class));
  }

  private static <T> void set(
      Connection tx, String sql, String queue, Setting<T> setting, ToLongFunction<T> number)
      throws SQLException {
    if (setting instanceof Setting.Keep<T>) {
      return;
    }
    Long value = setting instanceof Setting.To<T>(T to) ? number.applyAsLong(to) : null;
    try (PreparedStatement statement = tx.prepareStatement(sql)) {
      statement.setObject(1, value, Types.BIGINT);
      statement.setString(2, queue);
      statement.executeUpdate();
    }
  }

  /** Sets the weights of a queue's priority classes; those that are left out have defaults. */
  public static void setWeights(Connection tx, String queue, Map<String, Integer> weights)
      throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(CLEAR_WEIGHTS)) {
      statement.setString(1, queue);
      statement.executeUpdate();
    }
    if (weights.isEmpty()) {
      return;
    }
    List<Map.Entry<String, Integer>> rows = List.copyOf(weights.entrySet());
    try (PreparedStatement statement = tx.prepareStatement(SET_WEIGHTS)) {
      statement.setString(1, queue);
      statement.setObject(2, PgArray.texts(rows, Map.Entry::getKey));
      statement.setObject(3, PgArray.ints(rows, Map.Entry::getValue));
      statement.executeUpdate();
    }
  }
}
