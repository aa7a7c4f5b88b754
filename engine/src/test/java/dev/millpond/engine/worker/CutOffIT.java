package dev.millpond.engine.worker;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import dev.millpond.api.JobRequest;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.lifecycle.store.Pg;
import java.net.URI;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A worker whose network is gone: no connection is closed, and no answer comes. */
class CutOffIT {
  private static Database database;

  @BeforeAll
  static void open() {
    database = Database.fresh();
  }

  @AfterAll
  static void shut() {
    database.close();
  }

  @Test
  void aWorkerThatHearsNothingForALeaseStopsItsHandlers() throws Exception {
    URI direct = URI.create(database.url().substring("jdbc:".length()));
    CountDownLatch started = new CountDownLatch(1);
    CountDownLatch stopped = new CountDownLatch(1);
    try (Fleet fleet = Fleet.on(database, Mode.POSTGRES);
        StallingLine line = new StallingLine(direct.getPort())) {
      String through =
          database.url().replace(":" + direct.getPort() + "/", ":" + line.port() + "/");
      MillpondConfig with = MillpondConfig.of(through).withTiming(Fleet.TIMING).withSlots(4);
      fleet.worker(
          with,
          m ->
              m.registerHandler(
                  "wait",
                  Integer.class,
                  (context, n) -> {
                    if (started.getCount() > 0) {
                      started.countDown();
                      try {
                        new CountDownLatch(1).await();
                      } finally {
                        stopped.countDown();
                      }
                    }
                    return n;
                  }));
      fleet.maintainer();
      Fleet.submit(fleet.producer(), JobRequest.of("wait", 1), 1);
      assertThat(started.await(20, TimeUnit.SECONDS)).isTrue();

      line.stall();
      Duration within = Fleet.TIMING.lease().multipliedBy(3);
      assertThat(stopped.await(within.toMillis(), TimeUnit.MILLISECONDS))
          .as("the handler is stopped while the line is still silent")
          .isTrue();
      line.resume();
      fleet.untilEnded(1);
      fleet.end();
    }
  }

  @Test
  void theServerEndsWhatADeadHostLeavesBehind() throws Exception {
    try (HikariDataSource pool = Pg.pool(database.url(), "cut-off", 1);
        Connection pooled = pool.getConnection();
        Connection hot = Pg.hot(database.url(), "cut-off", 250, 20)) {
      for (Connection connection : new Connection[] {pooled, hot}) {
        assertThat(setting(connection, "idle_in_transaction_session_timeout")).isEqualTo("5s");
        assertThat(setting(connection, "tcp_keepalives_idle")).isEqualTo("10");
      }
    }
  }

  private static String setting(Connection connection, String name) throws Exception {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SHOW " + name)) {
      row.next();
      return row.getString(1);
    }
  }
}
