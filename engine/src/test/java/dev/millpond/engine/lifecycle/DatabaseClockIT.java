package dev.millpond.engine.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.millpond.engine.Database;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.lifecycle.store.Transactions;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The clock of ids, beside a database on this machine whose clock is the right one. */
class DatabaseClockIT {
  private static Database database;
  private static Transactions transactions;

  @BeforeAll
  static void open() {
    database = Database.fresh();
    transactions = new Transactions(Pg.pool(database.url(), "clock", 1));
  }

  @AfterAll
  static void shut() {
    transactions.close();
    database.close();
  }

  @Test
  void aClockThatIsSetWhileTheNodeRunsChangesNothingAndIsNoticedByTheNextLook() {
    AtomicReference<Duration> wrong = new AtomicReference<>(Duration.ofMinutes(-4));
    DatabaseClock clock = new DatabaseClock(() -> Instant.now().plus(wrong.get()));
    clock.measure(transactions);
    assertThat(clock.instant()).isCloseTo(Instant.now(), within(1, ChronoUnit.SECONDS));

    wrong.set(Duration.ofHours(1));
    assertThat(clock.instant()).isCloseTo(Instant.now(), within(1, ChronoUnit.SECONDS));
    Duration step = clock.follow(transactions);
    assertThat(step.negated()).isCloseTo(Duration.ofMinutes(64), Duration.ofSeconds(1));
    assertThat(clock.instant()).isCloseTo(Instant.now(), within(1, ChronoUnit.SECONDS));
  }

  @Test
  void aNodeWhoseClockIsFarOffDoesNotStart() {
    DatabaseClock clock = new DatabaseClock(() -> Instant.now().minus(Duration.ofMinutes(6)));
    assertThatThrownBy(() -> clock.measure(transactions)).isInstanceOf(ClockException.class);
  }
}
