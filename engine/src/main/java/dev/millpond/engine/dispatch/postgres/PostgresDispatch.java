package dev.millpond.engine.dispatch.postgres;

import dev.millpond.engine.dispatch.Barred;
import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.Claimed;
import dev.millpond.engine.dispatch.Claimed.Receipt;
import dev.millpond.engine.dispatch.Demand;
import dev.millpond.engine.dispatch.Dispatch;
import dev.millpond.engine.dispatch.DispatchException;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.LaneMarks;
import dev.millpond.engine.dispatch.store.DispatchStore;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.lifecycle.store.PgArray;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Batches claimed straight from the dispatch table (rule R11): all of them without Redis, otherwise
 * those that have no working stream and those meant for no stream.
 *
 * <p>A claim starts where the last one found its first row ({@link LaneMarks}).
 */
public final class PostgresDispatch implements Dispatch {
  private static final int LOCK_TIMEOUT_MILLIS = 250;
  private static final int SOCKET_TIMEOUT_SECONDS = 20;
  private static final long POLL_BUSY_NANOS = TimeUnit.MILLISECONDS.toNanos(2);
  private static final long POLL_IDLE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  /** After {@link #RESTS_AFTER_NANOS} in which nothing was found, where no bell is heard. */
  private static final long POLL_REST_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  private static final long RESTS_AFTER_NANOS = TimeUnit.SECONDS.toNanos(5);

  /** With working streams little comes this way. */
  private static final long POLL_ASIDE_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

  /**
   * A claim need not be durable, so it does not wait for the disk. One that PostgreSQL forgets in a
   * crash leaves a waiting row: its batch may run twice, and the gate of whoever ends it first lets
   * only one outcome through.
   */
  private static final String LAZY_COMMIT = "SET synchronous_commit = off";

  /** See {@link DispatchStore} for how the kind is asked. */
  private static final String CLAIM =
      """
      UPDATE millpond.dispatch SET claimed_by = ?, claimed_at = now()
      WHERE id = ANY (ARRAY (
          SELECT w.id
          FROM unnest(?::text[], ?::text[], ?::uuid[], ?::int4[]) AS l (queue, class, mark, most)
          CROSS JOIN LATERAL (
              SELECT d.id
              FROM unnest(?::text[]) AS k (kind)
              CROSS JOIN LATERAL (
                  SELECT c.id FROM millpond.dispatch c
                  WHERE c.queue = l.queue AND c.class = l.class
                    AND (c.kind, c.id) > (k.kind, l.mark) AND c.kind <= k.kind
                    AND c.claimed_by IS NULL AND c.sent_at IS NULL
                    AND (c.direct OR c.shard <> ALL (?::int4[]))
                  ORDER BY c.kind, c.id FOR UPDATE SKIP LOCKED LIMIT l.most) d
              ORDER BY d.id LIMIT l.most) w))
      RETURNING
      """
          + DispatchStore.COLUMNS;

  private final String url;
  private final Supplier<UUID> session;
  private final Supplier<List<Integer>> streamed;
  private final BooleanSupplier degraded;
  private final BooleanSupplier hears;
  private final Supplier<Barred> barred;
  private final Semaphore wakeUps = new Semaphore(0);
  private final LaneMarks<Lane> marks = new LaneMarks<>();

  /** What the last claim has passed over. */
  private Barred passedOver = Barred.NONE;

  private volatile boolean up = true;
  private volatile boolean closed;
  private long idleNanos = POLL_BUSY_NANOS;

  /** When it last found something, or was told that there may be something. */
  private volatile long lastNewsNanos = System.nanoTime();

  private @Nullable Connection connection;

  /**
   * Claims everything.
   *
   * @param session that claims
   */
  public PostgresDispatch(String url, Supplier<UUID> session) {
    this(url, session, List::of, () -> true, () -> false, () -> Barred.NONE);
  }

  /**
   * @param session that claims
   * @param streamed shards that have a working stream here: rows of those come over it, all others
   *     are claimed here, those of shards that this process has never heard of as well
   * @param degraded whether more than a little comes this way: there is no Redis, or not all works
   * @param hears whether a bell wakes it: then it rests
   * @param barred what is passed over now
   */
  public PostgresDispatch(
      String url,
      Supplier<UUID> session,
      Supplier<List<Integer>> streamed,
      BooleanSupplier degraded,
      BooleanSupplier hears,
      Supplier<Barred> barred) {
    this.url = url;
    this.session = session;
    this.streamed = streamed;
    this.degraded = degraded;
    this.hears = hears;
    this.barred = barred;
  }

  @Override
  public String name() {
    return "postgres";
  }

  @Override
  public boolean sends(Batch batch) {
    return false;
  }

  @Override
  public void send(List<Batch> batches, long committedNanos) {}

  @Override
  public List<Claimed> claim(Demand demand, Duration wait) {
    long until = System.nanoTime() + wait.toNanos();
    boolean emptied = !demand.expects(); // or else there is no news to wait for
    while (true) {
      long left = until - System.nanoTime();
      boolean woken = emptied && left > 0 && !closed && pause(Math.min(left, idleNanos));
      if (woken) {
        news();
      }
      wakeUps.drainPermits();
      List<Claimed> claimed = claim(demand);
      emptied = true;
      if (!claimed.isEmpty()) {
        news();
        return claimed;
      }
      if (woken || until - System.nanoTime() <= 0 || closed || demand.lanes().isEmpty()) {
        return List.of();
      }
      idleNanos = Math.min(2 * idleNanos, longestNanos());
    }
  }

  private long longestNanos() {
    long nothingFor = System.nanoTime() - lastNewsNanos;
    if (nothingFor > Bell.AWAKE_NANOS && hears.getAsBoolean()) {
      return Bell.REST_NANOS;
    }
    if (!degraded.getAsBoolean()) {
      return POLL_ASIDE_NANOS;
    }
    return nothingFor < RESTS_AFTER_NANOS ? POLL_IDLE_NANOS : POLL_REST_NANOS;
  }

  private void news() {
    idleNanos = POLL_BUSY_NANOS;
    lastNewsNanos = System.nanoTime();
  }

  /** Waits for so long, or until it is woken; whether it was. */
  private boolean pause(long nanos) {
    try {
      return wakeUps.tryAcquire(nanos, TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      closed = true;
      return false;
    }
  }

  private List<Claimed> claim(Demand asked) {
    Demand demand = without(barred.get(), asked);
    if (demand.lanes().isEmpty() || demand.kinds().isEmpty()) {
      return List.of();
    }
    marks.begin();
    Map<Lane, UUID> from = new LinkedHashMap<>();
    for (Lane lane : demand.lanes()) {
      from.put(lane, marks.from(lane));
    }
    try {
      List<Claimed> claimed = claim(demand, List.copyOf(from.entrySet()));
      up = true;
      marks.end();
      for (Claimed each : claimed.reversed()) { // the lane's first one comes last
        marks.found(each.batch().lane(), each.batch().id());
      }
      return claimed;
    } catch (SQLException e) {
      if (Pg.fault(e) == Pg.Fault.REPEAT || Pg.fault(e) == Pg.Fault.LOCK) {
        return List.of();
      }
      up = false;
      disconnect();
      throw new DispatchException("claim from PostgreSQL failed: " + e.getMessage(), e);
    }
  }

  /** What is no longer barred may have rows below the marks. */
  private Demand without(Barred now, Demand asked) {
    if (!now.equals(passedOver)) {
      marks.clear();
      passedOver = now;
    }
    if (now.equals(Barred.NONE)) {
      return asked;
    }
    Map<Lane, Integer> batches = new HashMap<>(asked.batches());
    batches.keySet().removeIf(lane -> now.queues().contains(lane.queue()));
    Set<String> kinds = new HashSet<>(asked.kinds());
    kinds.removeAll(now.kinds());
    return new Demand(batches, kinds, asked.expects());
  }

  /** All lanes in one statement: most of the time only one of them has anything. */
  private List<Claimed> claim(Demand demand, List<Map.Entry<Lane, UUID>> from) throws SQLException {
    List<Claimed> claimed = new ArrayList<>();
    List<String> kinds = List.copyOf(demand.kinds());
    List<Integer> elsewhere = streamed.get();
    try (PreparedStatement statement = connect().prepareStatement(CLAIM)) {
      int i = 0;
      statement.setObject(++i, session.get());
      statement.setObject(++i, PgArray.texts(from, lane -> lane.getKey().queue()));
      statement.setObject(++i, PgArray.texts(from, lane -> lane.getKey().priorityClass()));
      statement.setObject(++i, PgArray.uuids(from, Map.Entry::getValue));
      statement.setObject(++i, PgArray.ints(from, lane -> demand.of(lane.getKey())));
      statement.setObject(++i, PgArray.texts(kinds, k -> k));
      statement.setObject(++i, PgArray.ints(elsewhere, Integer::intValue));
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          claimed.add(new Claimed(DispatchStore.batch(rows), new Receipt.Row()));
        }
      }
    }
    claimed.sort((a, b) -> PgArray.UUID_ORDER.compare(a.batch().id(), b.batch().id()));
    return claimed;
  }

  private Connection connect() throws SQLException {
    Connection open = connection;
    if (open == null) {
      open = Pg.hot(url, "millpond-claim", LOCK_TIMEOUT_MILLIS, SOCKET_TIMEOUT_SECONDS);
      try (Statement statement = open.createStatement()) {
        statement.execute(LAZY_COMMIT);
      }
      connection = open;
    }
    return open;
  }

  private void disconnect() {
    Connection open = connection;
    connection = null;
    if (open != null) {
      try {
        open.close();
      } catch (SQLException e) {
        // it is gone either way
        up = false;
      }
    }
  }

  @Override
  public void release(Collection<Claimed> claimed) {}

  @Override
  public void wake() {
    if (wakeUps.availablePermits() == 0) {
      wakeUps.release();
    }
  }

  /** The bell has rung: ends a rest, and begins none for a while. */
  public void heard() {
    long now = System.nanoTime();
    boolean rests = now - lastNewsNanos > Bell.AWAKE_NANOS / 2; // or may be about to
    lastNewsNanos = now;
    if (rests) { // otherwise it looks often enough
      wake();
    }
  }

  @Override
  public boolean up() {
    return up;
  }

  /** Called after the claiming thread has ended. */
  @Override
  public void close() {
    closed = true;
    wake();
    disconnect();
  }
}
