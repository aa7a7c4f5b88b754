package dev.millpond.engine.races;

import dev.millpond.api.JobView.JobError;
import dev.millpond.engine.Database;
import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.BatchMaker.Member;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.flush.NewJob;
import dev.millpond.engine.flush.Portion;
import dev.millpond.engine.flush.Portion.End;
import dev.millpond.engine.flush.Portion.Failure;
import dev.millpond.engine.flush.Portion.Held;
import dev.millpond.engine.flush.Portion.Next;
import dev.millpond.engine.flush.Portion.Started;
import dev.millpond.engine.flush.Routed;
import dev.millpond.engine.flush.Routed.Route;
import dev.millpond.engine.flush.store.ColdFlush;
import dev.millpond.engine.flush.store.HotFlush;
import dev.millpond.engine.flush.store.WriterConnection;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.maintenance.store.RescueStore;
import dev.millpond.engine.races.Race.Start;
import dev.millpond.engine.submit.JobIds;
import dev.millpond.engine.worker.store.SessionStore;
import dev.millpond.engine.worker.store.SessionStore.Opening;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Lets races take place on a database: rounds in chunks, each chunk's rows made beforehand and
 * looked at afterwards, all at once, so that a round costs little more than its two transactions.
 * Pairs of sides go through their rounds beside each other.
 *
 * <p>The seed decides who is how much late to a meeting. What the operating system adds is its own,
 * so a seed brings a failure back often, not always.
 */
final class Arena implements AutoCloseable {
  private static final int CHUNK = 500;
  private static final int PAIRS = Integer.getInteger("millpond.races.pairs", 2);
  private static final int LATE_NANOS_MAX = 400_000;
  private static final int MEETING_SECONDS = 60;

  private final Database database;
  private final BatchMaker maker = new BatchMaker(new JobIds(InstantSource.system()), 1);
  private final JobIds ids = new JobIds(InstantSource.system());
  private final Transactions transactions;
  private final List<Pair> pairs = new ArrayList<>();
  private final ExecutorService threads = Executors.newFixedThreadPool(2 * PAIRS);

  private record Pair(Side left, Side right, CyclicBarrier barrier) {}

  private record Met(Round round, Pair pair, Answer left, Answer right) {}

  /**
   * What came of a race.
   *
   * @param overlapped rounds in which both transactions were under way at the same time
   * @param said how often both sides were told what
   */
  record Result(int rounds, int overlapped, Map<String, Integer> said) {}

  Arena(Database database) {
    this.database = database;
    this.transactions = new Transactions(Pg.pool(database.url(), "arena", 1));
    for (int i = 0; i < PAIRS; i++) {
      Side left = new Side(database.url(), "left" + i, maker);
      Side right = new Side(database.url(), "right" + i, maker);
      pairs.add(new Pair(left, right, new CyclicBarrier(2)));
    }
  }

  /**
   * Runs a race.
   *
   * @throws AssertionError with the round and what does not hold
   */
  Result run(Race race, long seed, int rounds) throws Exception {
    int overlapped = 0;
    Map<String, Integer> said = new TreeMap<>();
    for (int from = 0; from < rounds; from += CHUNK) {
      List<Met> met = chunk(race, seed, from, Math.min(CHUNK, rounds - from));
      check(race, seed, met);
      for (Met one : met) {
        overlapped += one.left().overlaps(one.right()) ? 1 : 0;
        said.merge(one.left().said + " | " + one.right().said, 1, Integer::sum);
      }
    }
    return new Result(rounds, overlapped, said);
  }

  private List<Met> chunk(Race race, long seed, int from, int count) throws Exception {
    database.empty();
    List<List<Round>> rounds = new ArrayList<>();
    for (int p = 0; p < PAIRS; p++) {
      int first = from + count * p / PAIRS;
      int end = from + count * (p + 1) / PAIRS;
      rounds.add(prepare(race.start, pairs.get(p), first, end));
    }
    List<Future<List<Answer>>> lefts = new ArrayList<>();
    List<Future<List<Answer>>> rights = new ArrayList<>();
    for (int p = 0; p < PAIRS; p++) {
      Pair pair = pairs.get(p);
      List<Round> mine = rounds.get(p);
      lefts.add(threads.submit(() -> meet(race, true, pair, mine, seed)));
      rights.add(threads.submit(() -> meet(race, false, pair, mine, ~seed)));
    }
    List<Met> met = new ArrayList<>();
    for (int p = 0; p < PAIRS; p++) {
      List<Answer> left = lefts.get(p).get();
      List<Answer> right = rights.get(p).get();
      for (int i = 0; i < left.size(); i++) {
        met.add(new Met(rounds.get(p).get(i), pairs.get(p), left.get(i), right.get(i)));
      }
    }
    return met;
  }

  private static List<Answer> meet(
      Race race, boolean left, Pair pair, List<Round> rounds, long seed) throws Exception {
    Side side = left ? pair.left() : pair.right();
    Race.Act act = left ? race.left : race.right;
    List<Answer> answers = new ArrayList<>(rounds.size());
    for (Round round : rounds) {
      if (!left && race.start == Start.TRACKED) {
        side.expires(round);
      }
      long late = new SplittableRandom(seed + round.number()).nextLong(LATE_NANOS_MAX);
      pair.barrier().await(MEETING_SECONDS, TimeUnit.SECONDS);
      LockSupport.parkNanos(late);
      long began = System.nanoTime();
      Answer answer;
      try {
        answer = act.by(side, round);
      } catch (RuntimeException e) {
        throw new AssertionError("round " + round.number() + " failed", e);
      }
      answer.beganNanos = began;
      answer.endedNanos = System.nanoTime();
      answers.add(answer);
    }
    return answers;
  }

  private void check(Race race, long seed, List<Met> met) {
    Facts facts = transactions.call(Facts::read);
    List<String> wrong = new ArrayList<>(facts.books());
    for (Met one : met) {
      List<String> here =
          facts.wrong(one.round(), one.pair().left(), one.left(), one.pair().right(), one.right());
      if (!here.isEmpty()) {
        wrong.add(
            "round "
                + one.round().number()
                + " "
                + here
                + " after "
                + one.left()
                + " and "
                + one.right());
      }
    }
    if (!wrong.isEmpty()) {
      throw new AssertionError(
          "%s, seed %d, rounds from %d on: %d findings%n%s"
              .formatted(
                  race,
                  seed,
                  met.getFirst().round().number(),
                  wrong.size(),
                  String.join("\n", wrong.subList(0, Math.min(wrong.size(), 12)))));
    }
  }

  /** Makes the rows of a pair's rounds, with the engine's own statements. */
  private List<Round> prepare(Start start, Pair pair, int from, int end) throws SQLException {
    List<Round> rounds = new ArrayList<>();
    List<NewJob> jobs = new ArrayList<>();
    List<Routed> routed = new ArrayList<>();
    for (int number = from; number < end; number++) {
      Lane lane = new Lane("round-" + number, "normal");
      List<NewJob> both = List.of(job(lane), job(lane));
      Batch batch =
          maker.make(lane, Side.KIND, both.stream().map(job -> new Member(job.id(), 1)).toList());
      jobs.addAll(both);
      routed.add(new Routed(batch, route(start, number)));
      rounds.add(new Round(number, batch));
    }
    try (WriterConnection connection = new WriterConnection(database.url(), "prepare")) {
      new HotFlush(jobs, routed, List.of(), pair.left().session).run(connection, false);
    }
    transactions.call(tx -> {
      open(tx, pair.left().session);
      open(tx, pair.right().session);
      moveOn(tx, start, pair, rounds);
      return true;
    });
    return rounds;
  }

  private static void open(Connection tx, UUID session) throws SQLException {
    List<String> kinds = List.of(Side.KIND);
    SessionStore.open(
        tx,
        new Opening(session, session, "here", 1, kinds, 1, Duration.ofDays(1), List.of(), null));
  }

  private static Route route(Start start, int number) {
    return switch (start) {
      case WAITING, WAITING_AT_TOKEN_2 -> Route.WAITS;
      case SENT, TRACKED, DEAD -> Route.SENT;
      case TAKEN -> number % 2 == 0 ? Route.SENT : Route.KEPT;
    };
  }

  private NewJob job(Lane lane) {
    return new NewJob(
        ids.get(), lane.queue(), lane.priorityClass(), Side.KIND, "1", null, NewJob.NOW);
  }

  private void moveOn(Connection tx, Start start, Pair pair, List<Round> rounds)
      throws SQLException {
    switch (start) {
      case WAITING, SENT, TAKEN -> {}
      case WAITING_AT_TOKEN_2 ->
          RescueStore.batches(
              tx, rounds.stream().map(round -> round.batch().id()).toList(), maker, false);
      case TRACKED -> {
        List<Portion> portions = rounds.stream().map(Arena::dissolved).toList();
        new ColdFlush(portions, pair.left().session, maker).run(tx);
      }
      case DEAD -> {
        List<Portion> portions = rounds.stream().map(Arena::buried).toList();
        new ColdFlush(portions, pair.left().session, maker).run(tx);
      }
    }
  }

  private static Portion dissolved(Round round) {
    Started started = new Started(round.job(), 1, false, 1, 0, 3_600_000);
    Held held = new Held(round.other(), 1, false);
    return portion(round, true, List.of(), List.of(started), List.of(held));
  }

  private static Portion buried(Round round) {
    JobError error = new JobError("Broken", "as planned", null);
    Next dead = new Next.Dead("exhausted");
    return portion(
        round,
        false,
        List.of(new Failure(round.job(), 1, false, 1, 0, "failed", error, dead, 1)),
        List.of(),
        List.of());
  }

  private static Portion portion(
      Round round, boolean last, List<End> ends, List<Started> started, List<Held> unstarted) {
    return new Portion(
        round.batch().lane(),
        Side.KIND,
        round.batch(),
        last,
        ends,
        started,
        unstarted,
        false,
        List.of(),
        false,
        (p, w) -> {});
  }

  @Override
  public void close() {
    threads.shutdown();
    for (Pair pair : pairs) {
      pair.left().close();
      pair.right().close();
    }
    transactions.close();
  }
}
