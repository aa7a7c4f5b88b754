package dev.millpond.engine.query;

import dev.millpond.api.CancelResult;
import dev.millpond.api.JobView;
import dev.millpond.api.RedriveResult;
import dev.millpond.api.SteerResult;
import dev.millpond.engine.books.store.BooksStore;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.Lanes;
import dev.millpond.engine.dispatch.store.DispatchStore;
import dev.millpond.engine.flow.FlowSettings;
import dev.millpond.engine.lifecycle.store.PgArray;
import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.query.Cursors.DeadLetterPosition;
import dev.millpond.engine.query.Cursors.LogPosition;
import dev.millpond.engine.query.store.ActivityStore;
import dev.millpond.engine.query.store.ChangeStore;
import dev.millpond.engine.query.store.DeadLetterGroupStore;
import dev.millpond.engine.query.store.DeadLetterStore;
import dev.millpond.engine.query.store.JobFacts;
import dev.millpond.engine.query.store.JobListStore;
import dev.millpond.engine.query.store.JobPath;
import dev.millpond.engine.query.store.JobStore;
import dev.millpond.engine.query.store.LogStore;
import dev.millpond.engine.query.store.QueueReadStore;
import dev.millpond.engine.query.store.QueueReadStore.Resting;
import dev.millpond.engine.query.store.SteerStore;
import dev.millpond.engine.query.store.WhyStore;
import dev.millpond.engine.submit.JobRules;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Reads, cancellation, changes and redrive, each in a transaction of its own. Thread-safe. */
public final class Queries {
  /** Dead letters that are counted; beyond it a count says that there are more. */
  private static final int COUNT_MAX = 100_000;

  private final Transactions transactions;
  private final Look look;
  private final RestingCounts resting;
  private final Lanes lanes;
  private final Supplier<FlowSettings> flow;
  private final BatchMaker maker;
  private final InstantSource clock;
  private final Runnable waiting;

  /**
   * @param clock the database's, as far as known
   * @param waiting told when there are new waiting rows, or jobs that are due
   */
  public Queries(
      Transactions transactions,
      Lanes lanes,
      Supplier<FlowSettings> flow,
      BatchMaker maker,
      InstantSource clock,
      Runnable waiting) {
    this.transactions = transactions;
    this.look = new Look(transactions);
    this.resting = new RestingCounts(transactions);
    this.lanes = lanes;
    this.flow = flow;
    this.maker = maker;
    this.clock = clock;
    this.waiting = waiting;
  }

  public Optional<JobView> find(UUID id) {
    return transactions.callOrThrow(tx -> JobStore.find(tx, id));
  }

  /** Why a job is not running; empty when there is none. */
  public Optional<Why> why(UUID id) {
    FlowSettings settings = flow.get();
    return transactions
        .callOrThrow(tx -> WhyStore.facts(tx, id, settings.limits()))
        .map(facts -> WhyRules.of(facts, settings));
  }

  public CancelResult cancel(UUID id) {
    CancelResult result =
        transactions.callOrThrow(tx ->
            JobFacts.around(
                tx,
                "jobs.cancel",
                id,
                () -> SteerStore.cancel(tx, id),
                done ->
                    done instanceof CancelResult.Cancelled
                        || done instanceof CancelResult.Requested));
    switch (result) {
      case CancelResult.Cancelled ignored -> waiting.run(); // its webhook is due
      case CancelResult.Requested ignored -> waiting.run();
      case CancelResult.WrongState ignored -> {}
      case CancelResult.NotFound ignored -> {}
    }
    return result;
  }

  /**
   * Changes a job that has not started.
   *
   * @throws dev.millpond.api.InvalidJobException when a value is out of its range
   */
  public SteerResult change(UUID id, Change change) {
    Instant now = clock.instant();
    if (change.priorityClass() != null) {
      JobRules.checkClass(change.priorityClass(), lanes.classes());
    }
    if (change.start() != null) {
      JobRules.checkStart(change.start(), now);
    }
    SteerResult result =
        transactions.callOrThrow(tx ->
            JobFacts.around(
                tx,
                "jobs.change",
                id,
                () -> ChangeStore.change(tx, id, change, now, maker),
                done -> done instanceof SteerResult.Done));
    if (result instanceof SteerResult.Done) {
      waiting.run();
    }
    return result;
  }

  public RedriveResult redrive(UUID id) {
    RedriveResult result =
        transactions.callOrThrow(tx ->
            JobFacts.around(
                tx,
                "dead-letters.redrive",
                id,
                () -> SteerStore.redrive(tx, id, maker),
                done -> done instanceof RedriveResult.Redriven));
    if (result instanceof RedriveResult.Redriven) {
      waiting.run();
    }
    return result;
  }

  public List<QueueView> queues() {
    Map<String, Resting> counts = resting.get();
    return transactions.callOrThrow(tx ->
        QueueReadStore.queues(
            tx, BooksStore.queues(tx), DispatchStore.sorts(tx), flow.get(), counts));
  }

  /** Jobs in short, newest first. */
  public Page<JobSummary> jobs(JobFilter filter, @Nullable String cursor, int limit) {
    FilterRules.limit(limit);
    UUID from = from(filter, cursor);
    return look.page(
        JobListStore.summaries(filter, path(filter)), from, limit, Window.PAGE, Cursors::of);
  }

  /** Whole jobs, newest first; a page of large ones has fewer. */
  public Page<JobView> wholeJobs(JobFilter filter, @Nullable String cursor, int limit) {
    FilterRules.limit(limit);
    UUID from = from(filter, cursor);
    return look.page(
        JobListStore.whole(filter, path(filter)), from, limit, Window.PAGE, Cursors::of);
  }

  private static UUID from(JobFilter filter, @Nullable String cursor) {
    UUID start = JobListStore.start(filter);
    if (cursor == null) {
      return start;
    }
    UUID given = Cursors.job(cursor);
    return PgArray.UUID_ORDER.compare(given, start) < 0 ? given : start;
  }

  private @Nullable JobPath path(JobFilter filter) {
    return filter.payload() == null ? null : JobPath.of(transactions, filter.payload());
  }

  /** Log lines of a job, oldest first; empty when there is no such job. */
  public Optional<Page<LogLine>> log(UUID id, @Nullable String after, int limit) {
    FilterRules.limit(limit);
    LogPosition from = after == null ? new LogPosition(0, 0) : Cursors.log(after);
    return transactions.callOrThrow(tx -> LogStore.read(tx, id, from, limit));
  }

  /** Dead letters, newest first. */
  public Page<DeadLetterView> deadLetters(
      DeadLetterFilter filter, @Nullable String cursor, int limit) {
    FilterRules.limit(limit);
    DeadLetterPosition from = DeadLetterStore.start(filter);
    if (cursor != null) {
      DeadLetterPosition given = Cursors.deadLetter(cursor);
      from = given.deadAt().isBefore(from.deadAt()) ? given : from;
    }
    return look.page(DeadLetterStore.views(filter), from, limit, Window.PAGE, Cursors::of);
  }

  /** What the dead letters that match died of: the newest of them, in groups. */
  public DeadLetterGroups deadLetterGroups(DeadLetterFilter filter) {
    return transactions.callOrThrow(tx -> DeadLetterGroupStore.read(tx, filter));
  }

  /** What the fleet has been doing. */
  public Activity activity() {
    return transactions.callOrThrow(ActivityStore::read);
  }

  /** Dead letters that match: exact up to {@link #COUNT_MAX}, if five seconds are enough. */
  public Count countDeadLetters(DeadLetterFilter filter) {
    Page<UUID> page =
        look.page(
            DeadLetterStore.ids(filter),
            DeadLetterStore.start(filter),
            COUNT_MAX,
            Window.COUNT,
            Cursors::of);
    return new Count(page.items().size(), page.nextCursor() == null);
  }
}
