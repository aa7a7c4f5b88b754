package dev.millpond.engine.dispatch.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.engine.Database;
import dev.millpond.engine.admission.Answer;
import dev.millpond.engine.admission.store.GateStore;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.store.DepthStore.Change;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What asking for a depth costs, and that it counts what was committed. By hand with {@code
 * -Dmillpond.depth.rows=1000000}: prints what ADR 31 says.
 */
class DepthStoreIT {
  private static final Lane LANE = new Lane("default", "normal");
  private static final int DEAD = Integer.getInteger("millpond.depth.rows", 100_000);
  private static final int ROUND = 1_000;
  private static final Pattern HIT = Pattern.compile("shared hit=(\\d+)");

  private Database database;

  @BeforeEach
  void open() {
    database = Database.fresh();
  }

  @AfterEach
  void close() {
    database.close();
  }

  private static void change(Connection tx, int rows, int delta, int departed) throws SQLException {
    DepthStore.add(tx, Collections.nCopies(rows, new Change(LANE, delta, departed, 10L * delta)));
  }

  private static void change(Connection tx, String priorityClass, int delta, int departed)
      throws SQLException {
    Lane lane = new Lane(LANE.queue(), priorityClass);
    DepthStore.add(tx, List.of(new Change(lane, delta, departed, 10L * delta)));
  }

  private static Answer ask(Connection tx) throws SQLException {
    return GateStore.ask(tx, LANE.queue());
  }

  @Test
  void aQuestionWalksNoRowsThatAPinnedSnapshotKeeps() throws SQLException {
    try (Connection pinned = database.connect();
        Connection tx = database.connect()) {
      pinned.setAutoCommit(false);
      pinned.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      try (Statement look = pinned.createStatement()) {
        look.execute("SELECT count(*) FROM millpond.queue_depth");
      }
      for (int dead = 0; dead < DEAD; dead += ROUND) {
        change(tx, ROUND, 1, 0);
        DepthStore.sumUp(tx, false);
      }
      change(tx, ROUND, 1, 0);

      assertThat(ask(tx).depth().jobs()).isEqualTo(DEAD + ROUND);
      int pages = pages(tx);
      System.out.printf("%,d dead rows: a question reads %d pages%n", DEAD, pages);
      System.out.printf("it takes %.3f ms%n", millis(tx));
      assertThat(pages).isLessThan(200); // some 100 rows a page, 2,000 rows that may be read twice
    }
  }

  private static double millis(Connection tx) throws SQLException {
    int times = 200;
    try (PreparedStatement statement = tx.prepareStatement(GateStore.ASK)) {
      for (int i = 0; i < times; i++) {
        GateStore.ask(statement, LANE.queue());
      }
      long began = System.nanoTime();
      for (int i = 0; i < times; i++) {
        GateStore.ask(statement, LANE.queue());
      }
      return (System.nanoTime() - began) / 1e6 / times;
    }
  }

  /** Pages of the plan that the lanes have: by indexes alone. */
  private static int pages(Connection tx) throws SQLException {
    try (Statement set = tx.createStatement()) {
      set.execute("SET enable_seqscan = off; SET enable_bitmapscan = off");
    }
    String sql = "EXPLAIN (ANALYZE, BUFFERS) " + GateStore.ASK;
    try (PreparedStatement explain = tx.prepareStatement(sql)) {
      for (int i = 1; i <= 2; i++) {
        explain.setString(i, LANE.queue());
      }
      try (ResultSet rows = explain.executeQuery()) {
        while (rows.next()) {
          Matcher hit = HIT.matcher(rows.getString(1));
          if (hit.find()) {
            return Integer.parseInt(hit.group(1)); // the first one is of the whole statement
          }
        }
        throw new AssertionError("no pages in the plan");
      }
    }
  }

  @Test
  void aChangeThatIsCommittedAfterALaterSumIsCountedAllTheSame() throws SQLException {
    try (Connection late = database.connect();
        Connection tx = database.connect()) {
      DepthStore.add(tx, List.of(new Change(LANE, 5, 0, 0)));
      late.setAutoCommit(false);
      DepthStore.add(late, List.of(new Change(LANE, 7, 0, 0)));
      DepthStore.add(tx, List.of(new Change(LANE, 3, 0, 0)));
      DepthStore.sumUp(tx, false);
      assertThat(ask(tx).depth().jobs()).isEqualTo(8);
      late.commit();
      assertThat(ask(tx).depth().jobs()).isEqualTo(15);
      DepthStore.sumUp(tx, false);
      assertThat(ask(tx).depth().jobs()).isEqualTo(15);
      assertThat(DepthStore.rows(tx)).isOne();
    }
  }

  @Test
  void aChangeThatIsFarTooLateIsCountedOnceAllAreSummed() throws SQLException {
    try (Connection late = database.connect();
        Connection tx = database.connect()) {
      late.setAutoCommit(false);
      DepthStore.add(late, List.of(new Change(LANE, 7, 0, 0)));
      change(tx, 2_000, 1, 0);
      DepthStore.sumUp(tx, false);
      late.commit();
      assertThat(ask(tx).depth().jobs()).isEqualTo(2_000);
      DepthStore.sumUp(tx, true);
      assertThat(ask(tx).depth().jobs()).isEqualTo(2_007);
    }
  }

  @Test
  void whoeverSumsAtTheSameTimeLosesNothing() throws Exception {
    int changes = 2_000;
    int summers = 3;
    AtomicBoolean stop = new AtomicBoolean();
    try (ExecutorService all = Executors.newFixedThreadPool(summers)) {
      List<Future<Integer>> summed = new ArrayList<>();
      for (int i = 0; i < summers; i++) {
        boolean leads = i == 0;
        summed.add(all.submit(() -> sumUntil(stop, leads)));
      }
      try (Connection tx = database.connect()) {
        for (int i = 1; i <= changes; i++) {
          DepthStore.add(tx, List.of(new Change(LANE, 1, 0, 0)));
          assertThat(ask(tx).depth().jobs()).isEqualTo(i);
        }
      } finally {
        stop.set(true);
      }
      for (Future<Integer> each : summed) {
        assertThat(each.get()).isPositive();
      }
    }
  }

  private int sumUntil(AtomicBoolean stop, boolean leads) throws SQLException {
    int sums = 0;
    try (Connection tx = database.connect()) {
      tx.setAutoCommit(false);
      while (!stop.get()) {
        if (leads) {
          DepthStore.sumUp(tx, sums % 10 == 0);
          sums++;
        } else {
          sums += DepthStore.trySumUp(tx) ? 1 : 0;
        }
        tx.commit();
      }
    }
    return sums;
  }

  @Test
  void theRateIsThatOfTheJobsThatHaveLeft() throws SQLException {
    try (Connection tx = database.connect()) {
      change(tx, 1, 0, 500); // as many have come as have left
      DepthStore.sumUp(tx, false);
      assertThat(rate(tx)).isEqualTo(500.0);
      assertThat(ask(tx).depth().jobs()).isZero();
      passed("1 second");
      change(tx, 1, 0, 100);
      DepthStore.sumUp(tx, false);
      assertThat(rate(tx)).isBetween(440.0, 480.0);
      passed("1 hour");
      assertThat(rate(tx)).isBetween(0.0, 0.001);
      change(tx, 1, 40, 0);
      DepthStore.sumUp(tx, false);
      assertThat(rate(tx)).isZero();
      assertThat(ask(tx).depth().jobs()).isEqualTo(40);
    }
  }

  @Test
  void theCapacityOutlastsATimeInWhichNothingWaits() throws SQLException {
    try (Connection tx = database.connect()) {
      change(tx, 1, 1_000, 500);
      DepthStore.sumUp(tx, false);
      assertThat(ask(tx).capacity()).isEqualTo(500.0);
      passed("1 second");
      change(tx, 1, -600, 100); // 400 wait, and fewer have left
      DepthStore.sumUp(tx, false);
      assertThat(ask(tx).capacity()).isBetween(455.0, 465.0);
      passed("1 second");
      change(tx, 1, -400, 400);
      DepthStore.sumUp(tx, false);
      assertThat(ask(tx).capacity()).isBetween(455.0, 465.0);
      passed("1 minute");
      change(tx, 1, 0, 1); // one comes, and goes
      DepthStore.sumUp(tx, false);
      assertThat(rate(tx)).isEqualTo(1.0);
      assertThat(ask(tx).capacity()).isBetween(370.0, 380.0);
      passed("5 minutes");
      assertThat(ask(tx).capacity()).isBetween(130.0, 145.0);
      change(tx, 1, 40, 0); // not summed yet: it is not known that none leaves
      assertThat(ask(tx).capacity()).isBetween(130.0, 145.0);
      DepthStore.sumUp(tx, false);
      passed("1 minute");
      assertThat(ask(tx).capacity()).isBetween(0.0, 1.0);
    }
  }

  @Test
  void theClassesOfAQueueShareItsCapacity() throws SQLException {
    try (Connection tx = database.connect()) {
      change(tx, "high", 1_000, 500);
      DepthStore.sumUp(tx, false);
      passed("1 second");
      change(tx, "high", -1_000, 500);
      change(tx, "normal", 1_000, 0);
      DepthStore.sumUp(tx, false);
      for (int second = 0; second < 30; second++) {
        passed("1 second");
        change(tx, "normal", 0, 500);
        DepthStore.sumUp(tx, false);
      }
      assertThat(ask(tx).capacity()).isBetween(300.0, 510.0); // not that of both
    }
  }

  /** Sums were made so much earlier. */
  private void passed(String time) {
    database.update(
        "UPDATE millpond.queue_depth SET summed_at = now() - interval '%s' WHERE since IS NOT NULL"
            .formatted(time));
  }

  private static double rate(Connection tx) throws SQLException {
    try (PreparedStatement statement =
            tx.prepareStatement(
                "SELECT %s FROM millpond.queue_depth d".formatted(DepthStore.RATE_NOW));
        ResultSet row = statement.executeQuery()) {
      row.next();
      return row.getDouble(1);
    }
  }
}
