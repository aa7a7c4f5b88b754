package dev.millpond.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobRequest;
import dev.millpond.engine.Fleet.Mode;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import redis.clients.jedis.Jedis;

/**
 * What a node with all roles asks of its servers while there is nothing to do. Counted by the
 * servers, over some seconds: a role that polls too often shows here. Both the database and the
 * Redis server are its own.
 */
@Order(1) // takes long: begins first
class IdleBudgetIT {
  /**
   * The look for all roles, a claim, news, one each, settings twice; its lease, beats, what single
   * roles ask. And as many again of the pools, which try a connection that has rested for half a
   * second.
   */
  private static final double TRANSACTIONS_PER_SECOND = 25;

  /** Its lease, the sampler; more only where a look has found something. */
  private static final double LEADER_TRANSACTIONS_PER_SECOND = 4;

  /**
   * One read a second that waits, and three looks: the reaper's, with the reconciler's, each 3.75 s
   * (6 commands for these lanes); the sampler's each 5 s (4); whose consumers are gone each 15 s
   * (3).
   */
  private static final double COMMANDS_PER_SECOND = 5;

  /** What is done once at the start; and the bell has not rung for long enough. */
  private static final Duration RESTS_AFTER = Duration.ofSeconds(4);

  /** So long that one look more or less, all of whose commands come at once, is not what counts. */
  private static final Duration WATCHED = Duration.ofSeconds(12);

  private static final Pattern COMMANDS = Pattern.compile("total_commands_processed:(\\d+)");

  /** Both at once: nearly all of it is waiting. */
  @ParameterizedTest
  @EnumSource(Mode.class)
  @Execution(ExecutionMode.CONCURRENT)
  void anIdleNodeAsksLittle(Mode mode) {
    try (Database database = Database.fresh()) {
      anIdleNodeAsksLittle(database, mode);
    }
  }

  private static void anIdleNodeAsksLittle(Database database, Mode mode) {
    Fleet fleet = Fleet.on(database, mode);
    Millpond node =
        fleet.worker(
            fleet.config().withTiming(Timing.DEFAULT),
            m -> {
              m.registerHandler("noop", Integer.class, (context, payload) -> null);
              m.startMaintenance();
            });
    Fleet.submit(node, JobRequest.of("noop", 1), 1); // from then on there is a queue
    fleet.untilEnded(1);
    Fleet.until("the bell is heard", () -> fleet.gauged("millpond.bell.heard") == 1);
    pass(RESTS_AFTER);
    long began = System.nanoTime();
    long transactions = transactions(database);
    long leading = leaderTransactions(database);
    long commands = commands(fleet, mode);
    pass(WATCHED);
    double seconds = (System.nanoTime() - began) / 1e9;
    double perSecond = (transactions(database) - transactions) / seconds;
    double leadingPerSecond = (leaderTransactions(database) - leading) / seconds;
    double commandsPerSecond = (commands(fleet, mode) - commands) / seconds;
    assertThat(perSecond).as("transactions a second").isBetween(1.0, TRANSACTIONS_PER_SECOND);
    assertThat(leadingPerSecond)
        .as("transactions of the leader a second")
        .isLessThan(LEADER_TRANSACTIONS_PER_SECOND);
    assertThat(commandsPerSecond).as("commands a second").isLessThan(COMMANDS_PER_SECOND);
    fleet.end();
  }

  /** Nothing is waited for: what is measured is time in which nothing happens. */
  private static void pass(Duration time) {
    long until = System.nanoTime() + time.toNanos();
    for (long left = time.toNanos(); left > 0; left = until - System.nanoTime()) {
      LockSupport.parkNanos(left);
    }
  }

  /** Ended ones; a backend reports them at most a second late. */
  private static long transactions(Database database) {
    return database.number(
        """
        SELECT xact_commit + xact_rollback FROM pg_stat_database
        WHERE datname = current_database()
        """);
  }

  /** Each of them holds the leader's row. */
  private static long leaderTransactions(Database database) {
    return database.number(
        """
        SELECT seq_scan + coalesce(idx_scan, 0) FROM pg_stat_user_tables
        WHERE relid = 'millpond.leader'::regclass
        """);
  }

  private static long commands(Fleet fleet, Mode mode) {
    if (mode == Mode.POSTGRES) {
      return 0;
    }
    try (Jedis jedis = new Jedis(fleet.redis().url())) { // three commands a call
      Matcher matcher = COMMANDS.matcher(jedis.info("stats"));
      return matcher.find() ? Long.parseLong(matcher.group(1)) : 0;
    }
  }
}
