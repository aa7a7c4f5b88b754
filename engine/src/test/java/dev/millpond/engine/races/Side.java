package dev.millpond.engine.races;

import dev.millpond.api.JobView.JobError;
import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.Claimed;
import dev.millpond.engine.dispatch.Demand;
import dev.millpond.engine.dispatch.KindPace;
import dev.millpond.engine.dispatch.Ways;
import dev.millpond.engine.dispatch.postgres.PostgresDispatch;
import dev.millpond.engine.dispatch.store.DispatchStore.Sort;
import dev.millpond.engine.flush.Portion;
import dev.millpond.engine.flush.Portion.End;
import dev.millpond.engine.flush.Portion.Failure;
import dev.millpond.engine.flush.Portion.Held;
import dev.millpond.engine.flush.Portion.Next;
import dev.millpond.engine.flush.Portion.Returned;
import dev.millpond.engine.flush.Portion.Started;
import dev.millpond.engine.flush.Portion.Success;
import dev.millpond.engine.flush.Portion.Written;
import dev.millpond.engine.flush.Writer;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.maintenance.store.FeedStore;
import dev.millpond.engine.maintenance.store.ReaperStore;
import dev.millpond.engine.maintenance.store.ReaperStore.LostRunning;
import dev.millpond.engine.maintenance.store.RescueStore;
import dev.millpond.engine.maintenance.store.RescueStore.Rescued;
import dev.millpond.engine.maintenance.store.RescueStore.Taken;
import dev.millpond.engine.metrics.EngineMetrics;
import dev.millpond.engine.query.store.RedriveStore;
import dev.millpond.engine.query.store.SteerStore;
import dev.millpond.engine.worker.store.ClaimStore;
import dev.millpond.engine.worker.store.ClaimStore.Loaded;
import dev.millpond.engine.worker.store.ClaimStore.LoadedJob;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.PreparedStatement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** One of the two who meet: a process with its writer, its claims and its pool. One thread. */
final class Side implements AutoCloseable {
  static final String KIND = "noop";
  private static final Duration VISIBILITY = Duration.ofHours(1);
  private static final Duration GRACE = Duration.ofSeconds(1);

  /** Of the payload of all jobs here. */
  private static final int BYTES = 1;

  private static final long HOUR_MICROS = 3_600_000_000L;
  private static final int PAGE = 100;
  private static final String EXPIRE =
      "UPDATE millpond.job_state SET deadline = now() - interval '1 minute' WHERE job_id = ?";
  private static final JobError ERROR = new JobError("Broken", "as planned", null);

  final UUID session = UUID.randomUUID();
  private final BatchMaker maker;
  private final Transactions transactions;
  private final PostgresDispatch dispatch;
  private final ClaimStore loader;
  private final Ways ways;
  private final Writer writer;

  Side(String url, String name, BatchMaker maker) {
    this.maker = maker;
    this.transactions = new Transactions(Pg.pool(url, name, 1));
    this.dispatch = new PostgresDispatch(url, () -> session);
    this.loader = new ClaimStore(url);
    this.ways = new Ways(List.of(), dispatch);
    this.writer =
        new Writer(
            url,
            () -> session,
            maker,
            new KindPace(),
            ways,
            new EngineMetrics(new SimpleMeterRegistry()));
    writer.start();
  }

  // What a worker does.

  /** Both jobs of the batch succeeded. */
  Answer ends(Round round) {
    return write(round, true, success(round.job()), success(round.other()));
  }

  /** The same, in two portions. */
  Answer endsInParts(Round round) {
    return inParts(round, success(round.job()));
  }

  /** The job failed and is tried again later; the other one succeeded. */
  Answer endsWithRetry(Round round) {
    return write(round, true, failure(round.job(), later()), success(round.other()));
  }

  /** The job is dead, which is written before the end of the other one. */
  Answer buriesInAPart(Round round) {
    return inParts(round, failure(round.job(), new Next.Dead("exhausted")));
  }

  /** A part that the cold lane writes: the result is kept apart. */
  Answer endsOneCold(Round round) {
    Success kept = new Success(round.job(), 1, false, 1, 0, "1", HOUR_MICROS, BYTES);
    return write(round, false, kept);
  }

  Answer retriesOne(Round round) {
    return write(round, false, failure(round.job(), later()));
  }

  /** The job runs on, the other one has not started. */
  Answer dissolves(Round round) {
    Started started = new Started(round.job(), 1, false, 1, 0, 3_600_000);
    Held held = new Held(round.other(), 1, false);
    return write(portion(round, round.batch(), true, List.of(), List.of(started), List.of(held)));
  }

  /** A tracked job ends, in one of four ways. */
  Answer endsTracked(Round round) {
    UUID job = round.job();
    End end =
        switch (round.number() % 4) {
          case 0 -> new Success(job, 1, true, 1, 0, "1", 0, BYTES);
          case 1 -> failure(job, later());
          case 2 -> failure(job, new Next.Dead("exhausted"));
          default -> new Returned(job, 1, true, 1, BYTES);
        };
    return write(portion(round, null, true, List.of(end), List.of(), List.of()));
  }

  /** Claims what waits in the round's lane, loads it, runs it, and ends it well. */
  Answer works(Round round) {
    Demand demand = Demand.ofEach(List.of(round.batch().lane()), Set.of(KIND), 4);
    List<Batch> claimed =
        dispatch.claim(demand, Duration.ZERO).stream().map(Claimed::batch).toList();
    if (claimed.isEmpty()) {
      return new Answer("nothing to run");
    }
    List<Loaded> loaded = loader.load(claimed);
    Answer answer = new Answer("ran " + loaded.stream().mapToInt(l -> l.jobs().size()).sum());
    for (int i = 0; i < claimed.size(); i++) {
      List<End> ends = new ArrayList<>();
      for (LoadedJob job : loaded.get(i).jobs()) {
        answer.ran.add(job.id());
        ends.add(
            new Success(job.id(), job.token(), job.hasState(), job.attempt(), 0, "1", 0, BYTES));
      }
      Answer end = write(portion(round, claimed.get(i), true, ends, List.of(), List.of()));
      answer.succeeded.addAll(end.succeeded);
      answer.stale.addAll(end.stale);
    }
    return answer;
  }

  /** Claims without running. */
  Answer claims(Round round) {
    Demand demand = Demand.ofEach(List.of(round.batch().lane()), Set.of(KIND), 1);
    return new Answer("took " + dispatch.claim(demand, Duration.ZERO).size());
  }

  // What the leader does.

  /** As for an entry that was delivered and left. */
  Answer rescues(Round round) {
    Rescued rescued =
        transactions.call(
            tx -> RescueStore.taken(tx, List.of(new Taken(round.batch().id(), null)), maker));
    return rescued(rescued);
  }

  /** The job's deadline is over, so that a reaper sees it from now on. */
  void expires(Round round) {
    transactions.call(tx -> {
      try (PreparedStatement statement = tx.prepareStatement(EXPIRE)) {
        statement.setObject(1, round.job());
        return statement.executeUpdate();
      }
    });
  }

  /** As for running jobs past their deadline. */
  Answer rescuesRunning(Round round) {
    Rescued rescued =
        transactions.call(tx -> {
          LostRunning lost = ReaperStore.running(tx, GRACE, Map.of(), VISIBILITY, PAGE);
          ReaperStore.recordAttempts(tx, lost.toRescue());
          ReaperStore.recordAttempts(tx, lost.toCancel());
          ReaperStore.cancel(tx, lost.toCancel());
          return RescueStore.jobs(tx, lost.toRescue(), "running", maker);
        });
    return rescued(rescued);
  }

  private static Answer rescued(Rescued rescued) {
    Answer answer = new Answer("rescued " + rescued.rescued().size());
    rescued.rescued().forEach(job -> answer.rescued.add(job.jobId()));
    return answer;
  }

  Answer feeds(Round round) {
    Sort sort = new Sort(round.batch().lane(), KIND);
    return new Answer(
        "took "
            + transactions.call(tx -> FeedStore.markSent(tx, sort, 0, List.of(0), PAGE)).size());
  }

  // What users do.

  Answer cancels(Round round) {
    return said(transactions.call(tx -> SteerStore.cancel(tx, round.job())));
  }

  Answer redrives(Round round) {
    return said(transactions.call(tx -> SteerStore.redrive(tx, round.job(), maker)));
  }

  /** As one of many. */
  Answer redrivesInBulk(Round round) {
    int revived = transactions.call(tx -> RedriveStore.redrive(tx, List.of(round.job()), maker));
    return new Answer(revived == 1 ? "Redriven" : "WrongState");
  }

  private static Answer said(Object result) {
    return new Answer(result.getClass().getSimpleName());
  }

  // How ends are written.

  private static Success success(UUID job) {
    return new Success(job, 1, false, 1, 0, null, 0, BYTES);
  }

  private static Next later() {
    return new Next.Retry(HOUR_MICROS);
  }

  private static Failure failure(UUID job, Next next) {
    return new Failure(job, 1, false, 1, 0, "failed", ERROR, next, BYTES);
  }

  private Answer write(Round round, boolean last, End... ends) {
    return write(portion(round, round.batch(), last, List.of(ends), List.of(), List.of()));
  }

  private static Portion portion(
      Round round,
      @Nullable Batch batch,
      boolean last,
      List<End> ends,
      List<Started> started,
      List<Held> unstarted) {
    return new Portion(
        round.batch().lane(),
        KIND,
        batch,
        last,
        ends,
        started,
        unstarted,
        false,
        List.of(),
        false,
        (p, w) -> {});
  }

  private Answer write(Portion portion) {
    CompletableFuture<Written> news = new CompletableFuture<>();
    writer.write(
        new Portion(
            portion.lane(),
            portion.kind(),
            portion.batch(),
            portion.last(),
            portion.ends(),
            portion.started(),
            portion.unstarted(),
            portion.elsewhere(),
            portion.logs(),
            portion.webhooks(),
            (p, written) -> news.complete(written)));
    Written written = news.join();
    Answer answer = new Answer(written.stale().size() + " stale");
    answer.stale.addAll(written.stale());
    for (End end : portion.ends()) {
      if (!written.stale().contains(end.jobId())) {
        (end instanceof Success ? answer.succeeded : answer.written).add(end.jobId());
      }
    }
    portion.started().forEach(start -> answer.written.add(start.jobId()));
    answer.written.removeAll(written.stale());
    return answer;
  }

  /** As a run of a batch does it: an end that did not count is written again with the last one. */
  private Answer inParts(Round round, End first) {
    Answer part = write(round, false, first);
    Answer rest =
        part.stale.isEmpty()
            ? write(round, true, success(round.other()))
            : write(round, true, first, success(round.other()));
    Answer answer = new Answer(part.said + " and " + rest.said);
    answer.succeeded.addAll(part.succeeded);
    answer.succeeded.addAll(rest.succeeded);
    answer.written.addAll(part.written);
    answer.written.addAll(rest.written);
    answer.stale.addAll(rest.stale);
    return answer;
  }

  @Override
  public void close() {
    writer.close();
    loader.close();
    ways.close();
    transactions.close();
  }
}
