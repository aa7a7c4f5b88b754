package dev.millpond.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.IdempotencyConflictException;
import dev.millpond.api.JobOptions;
import dev.millpond.api.JobRequest;
import dev.millpond.api.SubmitResult;
import dev.millpond.api.UnavailableException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/**
 * Many clients on two nodes send the same keys while submits of theirs are refused, given up and
 * rolled back: one job for each key, the same answer to everybody. Every fourth key is one of a
 * whole request of three jobs. {@code -Dmillpond.race.keys=10000} for the figures in ADR 11.
 */
class KeyRaceIT {
  private static final int KEYS = Integer.getInteger("millpond.race.keys", 500);
  private static final int CLIENTS = 32;
  private static final long SEED = Long.getLong("millpond.race.seed", 11);

  /** A client walks the keys in an order that is only mixed within such a window, so all meet. */
  private static final int WINDOW = 40;

  private static final int REQUEST_JOBS = 3;
  private static final int KILL_MILLIS_MOST = 300;

  private final Map<String, Set<List<UUID>>> answers = new ConcurrentHashMap<>();
  private final Map<String, Integer> accepted = new ConcurrentHashMap<>();
  private final AtomicInteger submits = new AtomicInteger();
  private final AtomicInteger conflicts = new AtomicInteger();
  private final AtomicInteger givenUp = new AtomicInteger();
  private final AtomicInteger unanswered = new AtomicInteger();

  @Test
  void oneJobForEachKeyAndTheSameAnswerToEverybody() throws Exception {
    try (Database database = Database.fresh()) {
      Fleet fleet = Fleet.on(database, Fleet.Mode.POSTGRES);
      List<Millpond> nodes = List.of(fleet.producer(), fleet.producer());
      long began = System.nanoTime();
      int kills = race(database, nodes);
      double seconds = (System.nanoTime() - began) / 1e9;
      System.out.printf(
          "%d clients, 2 nodes, %d keys: %d submits in %.1f s (%.0f/s), %d backends ended, %d"
              + " unanswered, %d given up, %d refused for a conflict%n",
          CLIENTS,
          KEYS,
          submits.get(),
          seconds,
          submits.get() / seconds,
          kills,
          unanswered.get(),
          givenUp.get(),
          conflicts.get());
      assertThat(answers).hasSize(KEYS);
      assertThat(answers.values()).allSatisfy(ids -> assertThat(ids).hasSize(1));
      assertThat(accepted.values()).allMatch(times -> times == 1);
      assertThat(conflicts.get()).isPositive();
      assertThat(givenUp.get()).isPositive();
      assertThat(kills).isPositive();
      int requests = (KEYS + 3) / 4;
      assertThat(database.number("SELECT count(*) FROM millpond.job"))
          .isEqualTo(KEYS - requests + REQUEST_JOBS * requests);
      assertThat(database.number("SELECT count(*) FROM millpond.idempotency_key")).isEqualTo(KEYS);
      Set<UUID> told = ConcurrentHashMap.newKeySet();
      answers.values().forEach(lists -> lists.forEach(told::addAll));
      fleet.assertBooksClean(told);
      fleet.close();
    }
  }

  /** Lets all clients run; how many backends were ended meanwhile. */
  private int race(Database database, List<Millpond> nodes) throws Exception {
    int kills = 0;
    Random random = new Random(SEED);
    CountDownLatch over = new CountDownLatch(CLIENTS);
    try (ExecutorService pool = Executors.newFixedThreadPool(CLIENTS)) {
      List<Future<?>> clients = new ArrayList<>();
      for (int c = 0; c < CLIENTS; c++) {
        Millpond node = nodes.get(c % nodes.size());
        Random own = new Random(SEED + c);
        clients.add(
            pool.submit(() -> {
              try {
                client(node, own);
              } finally {
                over.countDown();
              }
            }));
      }
      while (!over.await(1 + random.nextInt(KILL_MILLIS_MOST), TimeUnit.MILLISECONDS)) {
        kills += database.terminate("millpond-cold-lane");
      }
      for (Future<?> client : clients) {
        client.get();
      }
    }
    return kills;
  }

  private void client(Millpond node, Random random) {
    for (int from = 0; from < KEYS; from += WINDOW) {
      List<Integer> keys = new ArrayList<>();
      for (int k = from; k < Math.min(KEYS, from + WINDOW); k++) {
        keys.add(k);
      }
      Collections.shuffle(keys, random);
      for (int k : keys) {
        if (random.nextInt(50) == 0) {
          giveUp(node, k);
        }
        List<SubmitResult> results = answered(node, k);
        List<UUID> ids = Fleet.ids(results);
        answers.computeIfAbsent(name(k), key -> ConcurrentHashMap.newKeySet()).add(ids);
        if (results.getFirst() instanceof SubmitResult.Accepted) {
          accepted.merge(name(k), 1, Integer::sum);
        }
        if (random.nextInt(50) == 0) {
          spoil(node, k, ids.getFirst());
        }
      }
    }
  }

  /** Sends until there is an answer, as a client does after an error. */
  private List<SubmitResult> answered(Millpond node, int k) {
    while (true) {
      submits.incrementAndGet();
      try {
        return k % 4 == 0
            ? node.submit(Collections.nCopies(REQUEST_JOBS, JobRequest.of("noop", k)), name(k))
            : List.of(node.submit(keyed(name(k), k)));
      } catch (UnavailableException e) {
        unanswered.incrementAndGet();
      }
    }
  }

  /** A client that does not wait for its answer. */
  private void giveUp(Millpond node, int k) {
    if (k % 4 != 0) {
      submits.incrementAndGet();
      givenUp.incrementAndGet();
      boolean unused = node.submitAsync(keyed(name(k), k)).cancel(true);
    }
  }

  /** A batch with a key that is new and one that is taken: all of it is rolled back. */
  private void spoil(Millpond node, int k, UUID winner) {
    List<JobRequest> batch =
        List.of(keyed("spoilt-" + UUID.randomUUID(), k), keyed(name(k), "another body"));
    submits.incrementAndGet();
    try {
      node.submit(batch);
      throw new AssertionError("a conflict was accepted");
    } catch (IdempotencyConflictException e) {
      assertThat(e.jobId()).isEqualTo(winner);
      conflicts.incrementAndGet();
    } catch (UnavailableException e) {
      unanswered.incrementAndGet();
    }
  }

  private static String name(int k) {
    return "key-" + k;
  }

  private static JobRequest keyed(String key, Object payload) {
    return JobRequest.of("noop", payload).withOptions(JobOptions.DEFAULT.withIdempotencyKey(key));
  }
}
