package dev.millpond.engine.dispatch.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.api.JobRequest;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.threads.LoopThread;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;

/** The bell between two processes. */
class BellIT {
  private static Database database;

  private final AtomicInteger heard = new AtomicInteger();
  private Transactions here;
  private Transactions there;
  private Bell listens;
  private Bell rings;

  @BeforeAll
  static void open() {
    database = Database.fresh();
  }

  @AfterAll
  static void shut() {
    database.close();
  }

  @BeforeEach
  void start() {
    here = new Transactions(Pg.pool(database.url(), "here", 1));
    there = new Transactions(Pg.pool(database.url(), "there", 1));
    listens = new Bell(database.url(), here, heard::incrementAndGet);
    rings = new Bell(database.url(), there, () -> {});
  }

  @AfterEach
  void close() {
    listens.close();
    rings.close();
    here.close();
    there.close();
  }

  @Test
  void whatOneProcessRingsAnotherHears() {
    listen();
    int before = heard.get();
    rings.start();
    rings.ring();
    await().atMost(Fleet.PATIENCE).until(() -> heard.get() > before);
    assertThat(there.read(BellIT::commitWaits)).as("its connection is as it was").isTrue();
  }

  @Test
  void manyRingsAreOneNotification() throws SQLException {
    try (Connection stranger = stranger()) {
      long began = System.nanoTime();
      rings.start();
      rings.ring();
      int rung = awaitOne(stranger);
      for (int i = 0; i < 1_000; i++) {
        rings.ring();
        rung += come(stranger, 1);
      }
      double seconds = (System.nanoTime() - began) / 1e9;
      assertThat(rung).isLessThanOrEqualTo(1 + (int) seconds);
    }
  }

  @Test
  void whatIsRungWhileOneIsUnderWayIsRungOnceMore() throws SQLException {
    try (Connection stranger = stranger()) {
      there.pool().setConnectionTimeout(Fleet.PATIENCE.toMillis());
      try (Connection only = there.pool().getConnection()) {
        assertThat(only).isNotNull();
        rings.start();
        rings.ring();
        await()
            .atMost(Fleet.PATIENCE)
            .until(() -> there.pool().getHikariPoolMXBean().getThreadsAwaitingConnection() == 1);
        rings.ring();
      }
      int rung = awaitOne(stranger);
      while (rung < 2) {
        rung += awaitOne(stranger);
      }
      assertThat(rung).isEqualTo(2);
    }
  }

  @Test
  void whoHasHeardOneRingsNoneForASecond() throws SQLException {
    listen();
    try (Connection stranger = stranger()) {
      int own = stranger.unwrap(PGConnection.class).getBackendPID();
      int before = heard.get();
      long began = System.nanoTime();
      try (Statement statement = stranger.createStatement()) {
        statement.execute("NOTIFY millpond");
      }
      await().atMost(Fleet.PATIENCE).until(() -> heard.get() > before);
      await()
          .atMost(Fleet.PATIENCE)
          .until(() -> {
            listens.ring();
            return notifications(stranger, 1).stream()
                .anyMatch(each -> each.getPID() != own && each.getParameter().isEmpty());
          });
      assertThat(Duration.ofNanos(System.nanoTime() - began))
          .isGreaterThanOrEqualTo(Duration.ofSeconds(1));
    }
  }

  @Test
  void aLostConnectionIsNoticedAndReplaced() {
    listen();
    int before = heard.get();
    assertThat(database.terminate("millpond-listen")).isPositive();
    // It is told that it does not hear any more, and that it hears again.
    await().atMost(Fleet.PATIENCE).until(() -> heard.get() >= before + 2 && listens.hears());
  }

  @Test
  void itListensAnewNowAndThen() {
    try (Bell often =
        new Bell(database.url(), here, heard::incrementAndGet, Duration.ofMillis(50))) {
      often.listen();
      // Told that it hears, that it does not any more, and that it does again.
      await().atMost(Fleet.PATIENCE).until(() -> heard.get() >= 3);
    }
  }

  @Test
  void whoFailsWhenItRingsHearsItAgain() {
    try (Bell told =
        new Bell(
            database.url(),
            here,
            () -> {
              heard.incrementAndGet();
              throw new IllegalStateException("made by a test");
            })) {
      told.listen();
      await().atMost(Fleet.PATIENCE).until(() -> told.hears() && heard.get() > 0);
      int before = heard.get();
      rings.start();
      rings.ring();
      await().atMost(Fleet.PATIENCE).until(() -> heard.get() > before);
      assertThat(LoopThread.lost(told.threads().stream())).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource(Outside.class)
  void whoWritesOutsideTheFlushesRings(Outside what) throws SQLException {
    Fleet fleet = Fleet.on(database, Mode.POSTGRES);
    Millpond producer = fleet.producer();
    UUID later = producer.submitOrThrow(JobRequest.of("noop", "").withDelay(Duration.ofHours(1)));
    try (Connection stranger = stranger()) {
      switch (what) {
        case CANCEL -> producer.cancel(later);
        case RUN_NOW -> producer.runNow(later);
        case PROCESS_DIED -> {
          UUID process = UUID.randomUUID();
          database.update(
              """
              INSERT INTO millpond.worker (session, process, host, pid, kinds, slots, lease)
              VALUES (?, ?, 'here', 1, '{noop}', 1, interval '2 s')
              """,
              UUID.randomUUID(),
              process);
          producer.processDied(process);
        }
      }
      assertThat(awaitOne(stranger)).isEqualTo(1);
    }
    fleet.end();
  }

  enum Outside {
    CANCEL,
    RUN_NOW,
    PROCESS_DIED
  }

  @Test
  void whatIsRungRightBeforeTheEndIsHeard() {
    listen();
    int before = heard.get();
    rings.start();
    rings.ring();
    rings.close();
    await().atMost(Fleet.PATIENCE).until(() -> heard.get() > before);
  }

  @Test
  void itEndsWithoutALoss() {
    listen();
    rings.start();
    listens.close();
    rings.close();
    assertThat(LoopThread.lost(Stream.of(listens, rings).flatMap(b -> b.threads().stream())))
        .isEmpty();
  }

  @Test
  void itIsNotHeardWhereItDoesNotListen() {
    listens.start();
    assertThat(listens.hears()).isFalse();
  }

  private void listen() {
    listens.start();
    listens.listen();
    // It is told once that it hears now.
    await().atMost(Fleet.PATIENCE).until(() -> listens.hears() && heard.get() > 0);
  }

  private static Connection stranger() throws SQLException {
    Connection stranger = database.connect();
    try (Statement statement = stranger.createStatement()) {
      statement.execute("LISTEN millpond");
    }
    return stranger;
  }

  /** Whether commits wait for the disk on a connection as they do on a new one. */
  private static boolean commitWaits(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT setting = reset_val FROM pg_settings WHERE name = 'synchronous_commit'")) {
      return row.next() && row.getBoolean(1);
    }
  }

  private static int awaitOne(Connection on) throws SQLException {
    int come = come(on, (int) Fleet.PATIENCE.toMillis());
    assertThat(come).isPositive();
    return come;
  }

  private static int come(Connection on, int withinMillis) throws SQLException {
    return notifications(on, withinMillis).size();
  }

  private static List<PGNotification> notifications(Connection on, int withinMillis)
      throws SQLException {
    PGNotification[] come = on.unwrap(PGConnection.class).getNotifications(withinMillis);
    return come == null ? List.of() : List.of(come);
  }
}
