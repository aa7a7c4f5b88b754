package dev.millpond.engine.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobRequest;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.Timing;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.StreamEntryID;
import redis.clients.jedis.resps.StreamEntry;

/** When the entry of a batch leaves its stream. */
class EntryRemovalIT {
  private static final String STREAM = "millpond:{s0}:default:normal";

  /** No batch is dissolved or rescued during the test. */
  private static final Timing SLOW =
      new Timing(
          Duration.ofMinutes(1),
          Duration.ofMillis(500),
          Duration.ofSeconds(30),
          Duration.ofMillis(250));

  /**
   * The end of one batch waits for a lock; a later batch ends meanwhile. Removals go to Redis in
   * their order, so once that of the later one is done, one of the first would have been as well.
   */
  @Test
  void anEntryStaysPendingUntilTheEndsOfItsBatchAreCommitted() throws Exception {
    CountDownLatch started = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    try (Database database = Database.fresh();
        Fleet fleet = Fleet.on(database, Mode.STREAMS);
        Jedis jedis = new Jedis(fleet.config().redisUrls().getFirst());
        Connection stranger = database.connect()) {
      // A worker looks for new queues each settle time only.
      database.update("INSERT INTO millpond.queue (name) VALUES ('default')");
      fleet.worker(
          fleet.config().withTiming(SLOW),
          m -> {
            m.registerHandler(
                "first",
                String.class,
                (context, payload) -> {
                  started.countDown();
                  return go.await(30, TimeUnit.SECONDS);
                });
            m.registerHandler("second", String.class, (context, payload) -> null);
          });
      fleet.maintainer(fleet.config().withTiming(SLOW));
      Fleet.until(
          "the worker reads the stream",
          () -> database.number("SELECT count(*) FROM millpond.worker WHERE shards = '{0}'") == 1);
      Millpond producer = fleet.patientProducer();
      Fleet.submit(producer, JobRequest.of("first", ""), 1);
      assertThat(started.await(20, TimeUnit.SECONDS)).isTrue();
      List<StreamEntryID> first = entries(jedis);
      assertThat(first).hasSize(1);

      stranger.setAutoCommit(false);
      Database.update(stranger, "UPDATE millpond.dispatch SET claimed_by = claimed_by");
      go.countDown();
      Fleet.until(
          "the end waits for its gate",
          () ->
              database.number(
                      "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                          + " AND application_name LIKE 'millpond-%-lane'"
                          + " AND datname = current_database()")
                  > 0);
      Fleet.submit(producer, JobRequest.of("second", ""), 1);
      fleet.untilEnded(1);
      Fleet.until(
          "the later entry is removed",
          () -> first.containsAll(entries(jedis)) && pending(jedis) <= 1);

      assertThat(entries(jedis)).as("entries while the end is not committed").isEqualTo(first);
      assertThat(pending(jedis)).isEqualTo(1);
      stranger.rollback();
      fleet.untilEnded(2);
      Fleet.until("the entry is removed", () -> entries(jedis).isEmpty());
      fleet.end();
    }
  }

  private static long pending(Jedis jedis) {
    return jedis.xpending(STREAM, "millpond").getTotal();
  }

  private static List<StreamEntryID> entries(Jedis jedis) {
    return jedis.xrange(STREAM, "-", "+").stream().map(StreamEntry::getID).toList();
  }
}
