package dev.millpond.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millpond.api.IdempotencyConflictException;
import dev.millpond.api.JobOptions;
import dev.millpond.api.JobRequest;
import dev.millpond.api.SubmitResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** One key, one job, one answer. */
class KeyedSubmitIT {
  private static Database database;
  private Fleet fleet;
  private Millpond node;

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
    fleet = Fleet.on(database, Fleet.Mode.POSTGRES);
    node = fleet.producer();
  }

  @AfterEach
  void stop() {
    fleet.end();
  }

  private static JobRequest keyed(String key, Object payload) {
    return JobRequest.of("noop", payload).withOptions(JobOptions.DEFAULT.withIdempotencyKey(key));
  }

  @Test
  void theSameKeyAndBodyGiveTheSameJob() {
    UUID id = node.submitOrThrow(keyed("a", "x"));
    assertThat(node.submit(keyed("a", "x"))).isEqualTo(new SubmitResult.Existing(id));
    assertThat(jobs()).isEqualTo(1);
  }

  @Test
  void anExpiryThatCountsFromTheSubmitIsTheSameInARepeatedOne() {
    JobRequest request = keyed("a", "x");
    JobOptions expiring = request.options().withExpiresIn(Duration.ofHours(1));
    UUID id = node.submitOrThrow(request.withOptions(expiring));
    assertThat(node.submit(request.withOptions(expiring))).isEqualTo(new SubmitResult.Existing(id));
    assertThatThrownBy(() -> node.submit(request)).isInstanceOf(IdempotencyConflictException.class);
    assertThatThrownBy(
            () -> node.submit(request.withOptions(expiring.withExpiresIn(Duration.ofHours(2)))))
        .isInstanceOf(IdempotencyConflictException.class);
  }

  @Test
  void everythingThatMakesTheJobBelongsToTheBody() {
    JobRequest request = keyed("a", "x");
    UUID id = node.submitOrThrow(request);
    for (JobRequest other :
        List.of(
            keyed("a", "y"),
            request.withQueue("other"),
            request.withPriorityClass("high"),
            request.withDelay(Duration.ofMinutes(1)),
            request.withOptions(request.options().withMaxAttempts(3)),
            new JobRequest(
                "other",
                "x",
                request.queue(),
                request.priorityClass(),
                request.start(),
                request.options()))) {
      assertThatThrownBy(() -> node.submit(other))
          .isInstanceOfSatisfying(
              IdempotencyConflictException.class, e -> assertThat(e.jobId()).isEqualTo(id));
    }
    assertThat(jobs()).isEqualTo(1);
  }

  @Test
  void theSameKeyTwiceInOneBatchIsOneJob() {
    List<SubmitResult> results =
        node.submit(List.of(keyed("a", "x"), JobRequest.of("noop", "free"), keyed("a", "x")));
    UUID id = ((SubmitResult.Accepted) results.getFirst()).id();
    assertThat(results.getLast()).isEqualTo(new SubmitResult.Existing(id));
    assertThat(jobs()).isEqualTo(2);
  }

  @Test
  void aConflictInABatchNamesItsIndexAndWritesNothingOfIt() {
    UUID id = node.submitOrThrow(keyed("taken", "x"));
    List<JobRequest> batch =
        List.of(keyed("new", "x"), JobRequest.of("noop", "free"), keyed("taken", "y"));
    assertThatThrownBy(() -> node.submit(batch))
        .isInstanceOfSatisfying(
            IdempotencyConflictException.class,
            e -> {
              assertThat(e.jobId()).isEqualTo(id);
              assertThat(e.index()).isEqualTo(2);
            });
    assertThat(jobs()).isEqualTo(1);
    assertThat(database.strings("SELECT key FROM millpond.idempotency_key"))
        .containsExactly("taken");
    assertThat(node.submit(keyed("new", "z"))).isInstanceOf(SubmitResult.Accepted.class);
  }

  @Test
  void anExpiredKeyIsFreeAgain() {
    UUID old = node.submitOrThrow(keyed("a", "x"));
    database.update("UPDATE millpond.idempotency_key SET expires_at = now() - interval '1 second'");
    SubmitResult result = node.submit(keyed("a", "other body"));
    assertThat(result).isInstanceOf(SubmitResult.Accepted.class);
    assertThat(result).isNotEqualTo(new SubmitResult.Accepted(old));
    assertThat(jobs()).isEqualTo(2);
  }

  @Test
  void twoNodesThatRaceForKeysMakeOneJobEach() throws Exception {
    int threads = 32;
    int keys = 120;
    Millpond other = fleet.producer();
    Map<String, Set<UUID>> answers = new ConcurrentHashMap<>();
    Map<String, Integer> fresh = new ConcurrentHashMap<>();
    CountDownLatch start = new CountDownLatch(1);
    try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
      List<Future<?>> done = new ArrayList<>();
      for (int t = 0; t < threads; t++) {
        Millpond mine = t % 2 == 0 ? node : other;
        int offset = t;
        done.add(
            pool.submit(() -> {
              start.await();
              for (int k = 0; k < keys; k++) {
                String key = "key-" + (k + offset / 4) % keys;
                SubmitResult result = mine.submit(keyed(key, key));
                answers
                    .computeIfAbsent(key, name -> ConcurrentHashMap.newKeySet())
                    .add(idOf(result));
                if (result instanceof SubmitResult.Accepted) {
                  fresh.merge(key, 1, Integer::sum);
                }
              }
              return null;
            }));
      }
      start.countDown();
      for (Future<?> future : done) {
        future.get();
      }
    }
    assertThat(answers).hasSize(keys);
    assertThat(answers.values()).allSatisfy(ids -> assertThat(ids).hasSize(1));
    assertThat(fresh).hasSize(keys);
    assertThat(fresh.values()).containsOnly(1);
    assertThat(jobs()).isEqualTo(keys);
  }

  private static UUID idOf(SubmitResult result) {
    return switch (result) {
      case SubmitResult.Accepted accepted -> accepted.id();
      case SubmitResult.Existing existing -> existing.id();
      case SubmitResult.Refused refused -> throw new AssertionError(refused.toString());
    };
  }

  private static long jobs() {
    return database.number("SELECT count(*) FROM millpond.job");
  }
}
