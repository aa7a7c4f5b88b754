package dev.millpond.engine.dispatch.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.dispatch.Barred;
import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.BatchMaker.Member;
import dev.millpond.engine.dispatch.Claimed;
import dev.millpond.engine.dispatch.Dispatch;
import dev.millpond.engine.dispatch.DispatchContract;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.store.DepthStore;
import dev.millpond.engine.dispatch.store.DepthStore.Change;
import dev.millpond.engine.dispatch.store.DispatchStore;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The dispatch table as a way of its own. */
class PostgresDispatchIT extends DispatchContract {
  private final List<Integer> streamed = new CopyOnWriteArrayList<>();
  private volatile Barred barred = Barred.NONE;

  @Override
  protected Dispatch open(UUID session) {
    return new PostgresDispatch(
        database.url(),
        () -> session,
        () -> streamed,
        streamed::isEmpty,
        () -> false,
        () -> barred);
  }

  @Test
  void theClaimIsWrittenIntoTheRow() {
    UUID session = UUID.randomUUID();
    try (Dispatch dispatch = open(session)) {
      put(dispatch, NORMAL, 2);
      claim(dispatch, demand(4, NORMAL), 2);
    }
    assertThat(database.ids("SELECT claimed_by FROM millpond.dispatch"))
        .containsExactly(session, session);
  }

  @Test
  void whatIsBarredIsLeftAndClaimedOnceItIsNotAnyMore() {
    Lane other = new Lane("other", "normal");
    try (Dispatch dispatch = open(UUID.randomUUID())) {
      put(dispatch, NORMAL, 1);
      put(dispatch, other, 1);
      barred = new Barred(Set.of("other"), Set.of());
      claim(dispatch, demand(4, NORMAL, other), 1);
      assertThat(dispatch.claim(demand(4, NORMAL, other), Duration.ofMillis(30))).isEmpty();
      barred = new Barred(Set.of(), Set.of("noop"));
      assertThat(dispatch.claim(demand(4, NORMAL, other), Duration.ofMillis(30))).isEmpty();
      barred = Barred.NONE;
      claim(dispatch, demand(4, NORMAL, other), 1);
    }
  }

  @Test
  void kindsThatAreNotKnownAreLeft() {
    Dispatch dispatch = session();
    commit(NORMAL, "other", 3);
    List<Batch> known = put(dispatch, NORMAL, 2);
    assertThat(batches(claim(dispatch, demand(10, NORMAL), 2))).isEqualTo(known);
    assertThat(dispatch.claim(demand(10, NORMAL), Duration.ofMillis(20))).isEmpty();
  }

  @Test
  void rowsOnAStreamAreLeftToIt() {
    Dispatch dispatch = session();
    put(dispatch, NORMAL, 2);
    database.update("UPDATE millpond.dispatch SET sent_at = now()");
    assertThat(dispatch.claim(demand(10, NORMAL), Duration.ofMillis(20))).isEmpty();
  }

  @Test
  void withWorkingStreamsOnlyDirectRowsAreClaimed() {
    Dispatch dispatch = session();
    List<Batch> put = put(dispatch, NORMAL, 3);
    database.update("UPDATE millpond.dispatch SET direct = true WHERE id = ?", put.get(1).id());
    streamed.add(0);
    assertThat(batches(claim(dispatch, demand(10, NORMAL), 1))).containsExactly(put.get(1));
    assertThat(dispatch.claim(demand(10, NORMAL), Duration.ofMillis(20))).isEmpty();
    streamed.clear();
    assertThat(claim(dispatch, demand(10, NORMAL), 2)).hasSize(2);
  }

  @Test
  void lockedRowsArePassedOverAndClaimedLater() throws Exception {
    Dispatch dispatch = session();
    List<Batch> put = put(dispatch, NORMAL, 3);
    try (Connection stranger = database.connect()) {
      stranger.setAutoCommit(false);
      Database.update(
          stranger,
          "UPDATE millpond.dispatch SET sent_at = NULL WHERE id = ?",
          put.getFirst().id());
      assertThat(batches(claim(dispatch, demand(10, NORMAL), 2)))
          .containsExactlyElementsOf(put.subList(1, 3));
      stranger.rollback();
    }
    assertThat(batches(claim(dispatch, demand(10, NORMAL), 1))).containsExactly(put.getFirst());
  }

  @Test
  void rowsThatCommitLateWithAnOlderIdAreStillClaimed() throws Exception {
    Dispatch dispatch = session();
    UUID job = UUID.randomUUID();
    Batch late = maker.make(NORMAL, "noop", List.of(new Member(job, 1)));
    UUID ancient = new UUID(late.id().getMostSignificantBits() - (60_000L << 16), 1);
    Batch late2 = new Batch(ancient, NORMAL, "noop", 0, new UUID[] {UUID.randomUUID()}, null);
    // Many claims move the mark on.
    for (int round = 0; round < 5; round++) {
      put(dispatch, NORMAL, 4);
      claim(dispatch, demand(10, NORMAL), 4);
    }
    transactions.call(tx -> {
      for (Batch batch : List.of(late, late2)) {
        Database.update(
            tx,
            "INSERT INTO millpond.job (id, queue, class, kind, payload)"
                + " VALUES (?, 'default', 'normal', 'noop', '{}')",
            batch.jobIds()[0]);
      }
      DispatchStore.insert(tx, List.of(late, late2), false);
      DepthStore.add(tx, List.of(new Change(NORMAL, 2, 0, 4)));
      return true;
    });
    List<Claimed> claimed = claim(dispatch, demand(10, NORMAL), 2);
    assertThat(batches(claimed)).containsExactlyInAnyOrder(late, late2);
  }

  @Test
  void whoIsWokenFindsTheRow() throws Exception {
    Dispatch dispatch = session();
    for (int round = 0; round < 3; round++) {
      CompletableFuture<List<Claimed>> claim =
          CompletableFuture.supplyAsync(() -> claim(dispatch, demand(4, NORMAL), 1));
      commit(NORMAL, "noop", 1);
      dispatch.wake();
      assertThat(claim.get(10, TimeUnit.SECONDS)).hasSize(1);
    }
  }

  @Test
  void aWakeEndsAWaitThatFindsNothing() {
    Dispatch dispatch = session();
    CompletableFuture<List<Claimed>> claim =
        CompletableFuture.supplyAsync(
            () -> dispatch.claim(demand(4, NORMAL), Duration.ofMinutes(5)));
    Fleet.until(
        "it has ended",
        () -> {
          dispatch.wake();
          return claim.isDone();
        });
    assertThat(claim.join()).isEmpty();
  }

  @Test
  void aLostConnectionIsReopened() {
    Dispatch dispatch = session();
    put(dispatch, NORMAL, 1);
    claim(dispatch, demand(4, NORMAL), 1);
    assertThat(database.terminate("millpond-claim")).isEqualTo(1);
    put(dispatch, NORMAL, 1);
    Fleet.until(
        "another claim",
        () -> {
          try {
            return !dispatch.claim(demand(4, NORMAL), Duration.ofMillis(50)).isEmpty();
          } catch (dev.millpond.engine.dispatch.DispatchException e) {
            return false;
          }
        });
    assertThat(dispatch.up()).isTrue();
  }
}
