package dev.millpond.engine.dispatch.streams;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.embedded.TestRedis;
import dev.millpond.embedded.TestServers;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.Claimed;
import dev.millpond.engine.dispatch.Dispatch;
import dev.millpond.engine.dispatch.DispatchContract;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.StreamEntryID;
import redis.clients.jedis.params.XTrimParams;

/** The streams of one Redis server as a way. */
class StreamsDispatchIT extends DispatchContract {
  private static final String STREAM = "millpond:{s0}:default:normal";

  private TestRedis redis;
  private String url = "";

  @BeforeAll
  void takeRedis() {
    redis = TestServers.get().redis();
    url = redis.url();
  }

  @AfterAll
  void giveRedisBack() {
    redis.close();
  }

  @BeforeEach
  void emptyRedis() {
    redis.empty();
  }

  @Override
  protected Dispatch open(UUID session) {
    RedisServer server = new RedisServer(0, url);
    return new StreamsDispatch(
        server, (shard, kind) -> server.usable(), session.toString(), Duration.ofSeconds(1));
  }

  /** Ways to lose what is in Redis. */
  enum Loss {
    FLUSHALL,
    DEL,
    XGROUP_DESTROY,
    XTRIM
  }

  private static void lose(Jedis jedis, Loss loss) {
    switch (loss) {
      case FLUSHALL -> jedis.flushAll();
      case DEL -> jedis.del(STREAM);
      case XGROUP_DESTROY -> jedis.xgroupDestroy(STREAM, "millpond");
      case XTRIM -> jedis.xtrim(STREAM, new XTrimParams().maxLen(0));
    }
  }

  @ParameterizedTest
  @EnumSource(Loss.class)
  void afterALossTheWayWorksAgain(Loss loss) {
    Dispatch dispatch = session();
    put(dispatch, NORMAL, 2);
    claim(dispatch, demand(4, NORMAL), 2);
    try (Jedis jedis = new Jedis(url)) {
      lose(jedis, loss);
    }
    List<Batch> after = put(dispatch, NORMAL, 3);
    List<Claimed> claimed = claim(dispatch, demand(4, NORMAL), 3);
    assertThat(batches(claimed)).containsAll(after);
    assertThat(dispatch.up()).isTrue();
  }

  @ParameterizedTest
  @EnumSource(Loss.class)
  void aLossUnderAWaitingClaimEndsItWithoutAnError(Loss loss) throws Exception {
    Dispatch dispatch = session();
    put(dispatch, NORMAL, 1);
    claim(dispatch, demand(4, NORMAL), 1);
    var waiting =
        java.util.concurrent.CompletableFuture.supplyAsync(
            () -> dispatch.claim(demand(4, NORMAL), Duration.ofSeconds(1)));
    try (Jedis jedis = new Jedis(url)) {
      Fleet.until("a blocked reader", () -> jedis.clientList().contains("cmd=xreadgroup"));
      lose(jedis, loss);
    }
    assertThat(waiting.get(10, java.util.concurrent.TimeUnit.SECONDS)).isEmpty();
  }

  @Test
  void anEntryThatIsThereFiveTimesIsHandedOutOnce() {
    Dispatch dispatch = session();
    Dispatch other = session();
    List<Batch> batches = commit(NORMAL, "noop", 4);
    for (int copy = 0; copy < 5; copy++) {
      dispatch.send(batches, System.nanoTime());
    }
    try (Jedis jedis = new Jedis(url)) {
      Fleet.until("all copies", () -> jedis.xlen(STREAM) == 20);
      List<Claimed> mine = claim(dispatch, demand(3, NORMAL), 1);
      List<Claimed> all = new java.util.ArrayList<>(mine);
      Fleet.until(
          "all are read",
          () -> {
            all.addAll(other.claim(demand(3, NORMAL), Duration.ofMillis(20)));
            all.addAll(dispatch.claim(demand(3, NORMAL), Duration.ofMillis(20)));
            return jedis.xlen(STREAM) == 4;
          });
      assertThat(batches(all)).containsExactlyInAnyOrderElementsOf(batches);
      assertThat(jedis.xpending(STREAM, "millpond").getTotal()).isEqualTo(4);
    }
  }

  @Test
  void whatIsReleasedLeavesNothingInRedis() {
    Dispatch dispatch = session();
    put(dispatch, NORMAL, 3);
    dispatch.release(claim(dispatch, demand(4, NORMAL), 3));
    try (Jedis jedis = new Jedis(url)) {
      Fleet.until("the removal", () -> jedis.xlen(STREAM) == 0);
      assertThat(jedis.xpending(STREAM, "millpond").getTotal()).isZero();
    }
  }

  @Test
  void entriesThatAreNotOursAreRemoved() {
    Dispatch dispatch = session();
    put(dispatch, NORMAL, 1);
    try (Jedis jedis = new Jedis(url)) {
      jedis.xadd(STREAM, (StreamEntryID) null, Map.of("b", "garbage"));
      jedis.xadd(STREAM, (StreamEntryID) null, Map.of("other", ""));
      dispatch.release(claim(dispatch, demand(4, NORMAL), 1));
      Fleet.until(
          "the removal",
          () -> {
            assertThat(dispatch.claim(demand(4, NORMAL), Duration.ofMillis(20))).isEmpty();
            return jedis.xlen(STREAM) == 0;
          });
    }
  }

  @Test
  void whatWasCommittedTooLongAgoIsNotSent() {
    Dispatch dispatch = session();
    List<Batch> late = commit(NORMAL, "noop", 1);
    dispatch.send(late, System.nanoTime() - Duration.ofSeconds(2).toNanos());
    List<Batch> fresh = put(dispatch, NORMAL, 1);
    assertThat(batches(claim(dispatch, demand(4, NORMAL), 1))).isEqualTo(fresh);
    try (Jedis jedis = new Jedis(url)) {
      assertThat(jedis.xlen(STREAM)).isEqualTo(1);
    }
  }

  @Test
  void aBatchThatCannotBeWrittenDoesNotStopTheSender() {
    Dispatch dispatch = session();
    Batch good = commit(NORMAL, "noop", 1).getFirst();
    Batch odd = new Batch(UUID.randomUUID(), NORMAL, "noop", 0, good.jobIds(), new int[] {1, 2, 3});
    dispatch.send(List.of(odd), System.nanoTime());
    Fleet.until(
        "the next one",
        () -> {
          dispatch.send(List.of(good), System.nanoTime());
          return !dispatch.claim(demand(1, NORMAL), Duration.ofMillis(20)).isEmpty();
        });
  }

  @Test
  void aFullStreamTakesNoMoreUntilItHasRoom() {
    Dispatch dispatch = session();
    List<Batch> all = put(dispatch, NORMAL, StreamSender.WINDOW);
    Batch next = commit(NORMAL, "noop", 1).getFirst();
    Fleet.until("the stream is full", () -> !dispatch.sends(next));
    Batch elsewhere = commit(HIGH, "noop", 1).getFirst();
    assertThat(dispatch.sends(elsewhere)).as("another lane has room").isTrue();
    try (Jedis jedis = new Jedis(url)) {
      jedis.xtrim(STREAM, new XTrimParams().maxLen(10));
    }
    Fleet.until("there is room", () -> dispatch.sends(next));
    assertThat(Set.copyOf(all)).hasSize(StreamSender.WINDOW);
  }
}
