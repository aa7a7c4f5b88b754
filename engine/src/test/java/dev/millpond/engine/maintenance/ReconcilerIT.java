package dev.millpond.engine.maintenance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.Timing;
import dev.millpond.engine.dispatch.streams.StreamsKeeper;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What happens when Redis loses data. */
class ReconcilerIT {
  private static Database database;
  private RoleScene scene;
  private Reconciler reconciler;
  private StreamsKeeper keeper;

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
    scene = new RoleScene(database, Mode.STREAMS);
    keeper = scene.streams.keepers().getFirst();
    reconciler =
        new Reconciler(
            scene.leadership,
            scene.streams,
            scene.lanes,
            scene.maker,
            scene.metrics,
            Reconciler.Config.of(Timing.FAST),
            "epoch",
            scene.feedNews::incrementAndGet);
  }

  @AfterEach
  void stop() {
    // What was re-dispatched waits for a feeder.
    scene.end();
  }

  private void submitted(int jobs) {
    scene.submit(jobs);
    Fleet.until(
        "the entries", () -> keeper.entries(RoleScene.LANE).size() == scene.batches().size());
    database.update("UPDATE millpond.dispatch SET sent_at = sent_at - interval '1 minute'");
  }

  @Test
  void nothingIsDoneWhileTheEntriesAreThere() {
    submitted(6);
    for (int look = 0; look < 3; look++) {
      assertThat(reconciler.runOnce()).isEqualTo(new Reconciler.Result(0, 0));
    }
    assertThat(database.number("SELECT count(*) FROM millpond.job_state")).isZero();
  }

  @Test
  void afterALossTwoSightingsReDispatchUnderANewToken() {
    submitted(6);
    int batches = scene.batches().size();
    scene.fleet.redis().empty();
    long began = System.nanoTime();
    assertThat(reconciler.runOnce()).isEqualTo(new Reconciler.Result(batches, 0));
    assertThat(reconciler.runOnce().reconciled()).as("seen twice, but too soon").isZero();
    int[] reconciled = new int[1];
    Fleet.until(
        "the second sighting",
        () -> {
          reconciled[0] += reconciler.runOnce().reconciled();
          return reconciled[0] > 0;
        });
    assertThat(Duration.ofNanos(System.nanoTime() - began)).isGreaterThan(Timing.FAST.settle());
    assertThat(reconciled[0]).isEqualTo(6);
    assertThat(scene.jobsAtToken(2)).isEqualTo(6);
    assertThat(scene.feedNews.get()).isEqualTo(1);
    assertThat(database.depth()).isEqualTo(6);
    assertThat(
            database.number(
                "SELECT count(*) FROM millpond.dispatch"
                    + " WHERE sent_at IS NULL AND tokens[1] = 2"))
        .isEqualTo(scene.batches().size());
    assertThat(database.number("SELECT max(crashes) FROM millpond.job_state"))
        .as("no worker is to blame")
        .isZero();
  }

  @Test
  void anEntryThatComesBackBetweenTheSightingsIsLeftAlone() {
    submitted(2);
    scene.fleet.redis().empty();
    assertThat(reconciler.runOnce().missing()).isEqualTo(1);
    keeper.add(scene.batches());
    for (int look = 0; look < 3; look++) {
      assertThat(reconciler.runOnce()).isEqualTo(new Reconciler.Result(0, 0));
    }
    assertThat(scene.jobsAtToken(2)).isZero();
  }

  @Test
  void whatWasSentAMomentAgoIsNoCandidate() {
    scene.submit(2);
    Fleet.until("the entry", () -> !keeper.entries(RoleScene.LANE).isEmpty());
    database.update("UPDATE millpond.dispatch SET sent_at = now() + interval '1 minute'");
    scene.fleet.redis().empty();
    assertThat(reconciler.runOnce()).isEqualTo(new Reconciler.Result(0, 0));
    keeper.add(scene.batches());
  }

  private static void worker(String shards) {
    database.update(
        "INSERT INTO millpond.worker (session, host, pid, kinds, slots, lease, shards)"
            + " VALUES (gen_random_uuid(), 'here', 1, '{noop}', 1, interval '1 h', ?::int4[])",
        shards);
  }

  private int untilReconciled() {
    int[] reconciled = new int[1];
    Fleet.until(
        "the second sighting",
        () -> {
          reconciled[0] += reconciler.runOnce().reconciled();
          return reconciled[0] > 0;
        });
    return reconciled[0];
  }

  @Test
  void whatNoWorkerOfItsKindReadsIsTakenBackIntoTheTable() {
    worker("{7}");
    submitted(6);
    assertThat(untilReconciled()).isEqualTo(6);
    assertThat(keeper.entries(RoleScene.LANE)).isEmpty();
    assertThat(scene.jobsAtToken(2)).isEqualTo(6);
    assertThat(database.number("SELECT count(*) FROM millpond.dispatch WHERE NOT direct")).isZero();
  }

  @Test
  void rowsOnAServerThatIsNotKnownHereAreLeftToItsReaders() {
    worker("{0, 7}");
    submitted(2);
    keeper.remove(keeper.entries(RoleScene.LANE));
    database.update("UPDATE millpond.dispatch SET shard = 7, sent_at = now() - interval '1 s'");
    assertThat(reconciler.runOnce()).isEqualTo(new Reconciler.Result(0, 0));
    database.update("UPDATE millpond.worker SET shards = '{0}'");
    assertThat(untilReconciled()).isEqualTo(2);
  }

  @Test
  void aShardIsMarkedOnlyAfterItHasBeenLookedThrough() {
    submitted(2);
    scene.fleet.redis().empty();
    assertThat(keeper.unmarked()).containsExactly(0);
    reconciler.runOnce();
    assertThat(keeper.unmarked()).as("looked at once").containsExactly(0);
    untilReconciled();
    Fleet.until(
        "the mark",
        () -> {
          reconciler.runOnce();
          return keeper.unmarked().isEmpty();
        });
    assertThat(scene.jobsAtToken(2)).isEqualTo(2);
  }
}
