package dev.millpond.engine.worker.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.engine.Database;
import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.lifecycle.store.IdTime;
import dev.millpond.engine.worker.store.ClaimStore.Loaded;
import dev.millpond.engine.worker.store.ClaimStore.LoadedJob;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rows are written by hand, so that their ids lie where a test needs them; no node runs. */
class ClaimStoreIT {
  private static final Lane LANE = new Lane("default", "normal");
  private static Database database;
  private ClaimStore store;
  private long millis;
  private int made;

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
    store = new ClaimStore(database.url());
    millis = System.currentTimeMillis();
  }

  @AfterEach
  void stop() {
    store.close();
    database.empty();
  }

  /** Ids in the order they are made, all of one millisecond unless it is moved. */
  private UUID nextId() {
    return new UUID(
        IdTime.lowest(millis).getMostSignificantBits() | 0x7000, 0x8000_0000_0000_0000L | made++);
  }

  private List<UUID> jobs(int count) {
    List<UUID> ids = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      ids.add(nextId());
    }
    database.update(
        "INSERT INTO millpond.job (id, queue, class, kind, payload)"
            + " SELECT id, 'default', 'normal', 'noop', to_json(id::text)::text"
            + " FROM unnest(?::uuid[]) AS id",
        (Object) ids.toArray(UUID[]::new));
    return ids;
  }

  private Batch batch(List<UUID> jobIds) {
    Batch batch = new Batch(nextId(), LANE, "noop", 0, jobIds.toArray(UUID[]::new), null);
    database.update(
        "INSERT INTO millpond.dispatch (id, queue, class, kind, shard, job_ids)"
            + " VALUES (?, 'default', 'normal', 'noop', 0, ?)",
        batch.id(),
        batch.jobIds());
    return batch;
  }

  private void end(UUID jobId) {
    database.update(
        "INSERT INTO millpond.job_outcome (job_id, outcome, attempt, lease_token)"
            + " VALUES (?, 'succeeded', 1, 1)",
        jobId);
  }

  private void state(UUID jobId, int token) {
    database.update(
        "INSERT INTO millpond.job_state (job_id, queue, class, kind, phase, lease_token, attempt)"
            + " VALUES (?, 'default', 'normal', 'noop', 'runnable', ?, 1)",
        jobId,
        token);
  }

  private static List<UUID> ids(Loaded loaded) {
    return loaded.jobs().stream().map(LoadedJob::id).toList();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 5, 40, 400})
  void aBatchIsLoadedWithItsOwnJobsHoweverManyOthersLieBetween(int others) {
    List<UUID> mine = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      mine.addAll(jobs(1));
      jobs(others)
          .forEach(other -> {
            end(other);
            state(other, 2);
          });
    }
    Batch batch = batch(mine);
    for (int repeat = 0; repeat < 3; repeat++) {
      Loaded loaded = store.load(List.of(batch)).getFirst();
      assertThat(loaded.exists()).isTrue();
      assertThat(ids(loaded)).isEqualTo(mine);
      assertThat(loaded.jobs())
          .allSatisfy(job -> assertThat(job.payload()).isEqualTo("\"" + job.id() + "\""));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 400})
  void whatHasEndedOrIsAtAnotherTokenIsLeftOut(int others) {
    List<UUID> mine = new ArrayList<>(jobs(2));
    jobs(others);
    mine.addAll(jobs(4));
    end(mine.get(1));
    state(mine.get(2), 2);
    state(mine.get(3), 1);
    Loaded loaded = store.load(List.of(batch(mine))).getFirst();
    assertThat(ids(loaded)).containsExactly(mine.get(0), mine.get(3), mine.get(4), mine.get(5));
    assertThat(loaded.jobs())
        .extracting(LoadedJob::hasState)
        .containsExactly(false, true, false, false);
  }

  @Test
  void aBatchWithoutItsRowHasNothingToRun() {
    List<UUID> mine = jobs(3);
    Batch gone = new Batch(nextId(), LANE, "noop", 0, mine.toArray(UUID[]::new), null);
    assertThat(store.load(List.of(gone, batch(mine))))
        .extracting(Loaded::exists)
        .containsExactly(false, true);
  }

  @Test
  void jobsOfDifferentTimesAreLoadedTogether() {
    List<UUID> mine = new ArrayList<>(jobs(2));
    millis -= 3_600_000;
    mine.addAll(jobs(2));
    assertThat(ids(store.load(List.of(batch(mine))).getFirst())).isEqualTo(mine);
  }

  @Test
  void aSpanIsForJobsOfOneMomentAtTheirFirstToken() {
    UUID first = nextId();
    UUID second = nextId();
    millis += 100;
    UUID later = nextId();
    Batch near = new Batch(nextId(), LANE, "noop", 0, new UUID[] {second, first}, null);
    Batch far = new Batch(nextId(), LANE, "noop", 0, new UUID[] {first, later}, null);
    Batch retried = new Batch(nextId(), LANE, "noop", 0, new UUID[] {first}, new int[] {2});
    Spans spans = Spans.of(List.of(near));
    assertThat(spans).isNotNull();
    assertThat(spans.low()).containsExactly(first);
    assertThat(spans.high()).containsExactly(second);
    assertThat(spans.most()[0]).isGreaterThan(2);
    assertThat(Spans.of(List.of(near, far))).isNull();
    assertThat(Spans.of(List.of(retried))).isNull();
  }
}
