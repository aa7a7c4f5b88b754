package dev.millpond.engine.query;

import dev.millpond.api.InvalidJobException;
import dev.millpond.api.JobRequest.RawJson;
import dev.millpond.api.Limits;
import dev.millpond.engine.JobLimits;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.query.Cursors.DeadLetterPosition;
import dev.millpond.engine.query.store.DeadLetterStore;
import dev.millpond.engine.query.store.JobFacts;
import dev.millpond.engine.query.store.RedriveStore;
import dev.millpond.engine.submit.JobJson;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Gives dead jobs a new life: many at once, or one with an edited payload. Thread-safe. */
public final class Redrives {
  /** Dead letters of one transaction. */
  private static final int STEP = 500;

  /** After which a call begins no further step. */
  private static final Duration MOST_TIME = Duration.ofSeconds(20);

  private final Transactions transactions;
  private final Queries queries;
  private final Look look;
  private final BatchMaker maker;
  private final Supplier<UUID> ids;
  private final JobLimits limits;
  private final Runnable waiting;

  /**
   * @param ids of new jobs
   * @param waiting told when there are new waiting rows
   */
  public Redrives(
      Transactions transactions,
      Queries queries,
      BatchMaker maker,
      Supplier<UUID> ids,
      JobLimits limits,
      Runnable waiting) {
    this.transactions = transactions;
    this.queries = queries;
    this.look = new Look(transactions);
    this.maker = maker;
    this.ids = ids;
    this.limits = limits;
    this.waiting = waiting;
  }

  /**
   * Redrives the dead letters that match, newest first, in steps of {@link #STEP} that are each a
   * transaction. Those that come meanwhile are left alone.
   *
   * @param expected how many there must be, else nothing is done; empty for any number
   */
  public BulkRedrive redriveAll(DeadLetterFilter filter, OptionalLong expected) {
    if (expected.isPresent()) {
      Count actual = queries.countDeadLetters(filter);
      if (actual.count() != expected.getAsLong()) {
        return new BulkRedrive.CountDiffers(actual);
      }
    }
    long began = System.nanoTime();
    long redriven = 0;
    long skipped = 0;
    DeadLetterPosition from = DeadLetterStore.start(filter);
    while (true) {
      Page<UUID> page =
          look.page(DeadLetterStore.ids(filter), from, STEP, Window.PAGE, Cursors::of);
      int done =
          page.items().isEmpty()
              ? 0
              : transactions.callOrThrow(
                  tx -> RedriveStore.redriveAll(tx, filter, page.items(), maker));
      redriven += done;
      skipped += page.items().size() - done;
      if (done > 0) {
        waiting.run();
      }
      if (page.nextCursor() == null || System.nanoTime() - began > MOST_TIME.toNanos()) {
        break;
      }
      from = Cursors.deadLetter(page.nextCursor());
    }
    return new BulkRedrive.Done(redriven, skipped, queries.countDeadLetters(filter));
  }

  /**
   * Submits an edited copy of a dead job, and ends the dead one as {@code cancelled} with an
   * attempt whose error names the new one; in one transaction. The copy runs at once; an expiry is
   * not copied.
   *
   * @param payload JSON text; null for the same as before
   * @param maxAttempts null for the same as before
   * @throws InvalidJobException when a value is out of its range
   */
  public Replacement replace(UUID id, @Nullable String payload, @Nullable Integer maxAttempts) {
    String checked =
        payload == null ? null : JobJson.payload(new RawJson(payload), limits.payloadBytes());
    if (maxAttempts != null && (maxAttempts < 1 || maxAttempts > Limits.MAX_ATTEMPTS_CEILING)) {
      throw new InvalidJobException(
          "/maxAttempts", "must be 1 to " + Limits.MAX_ATTEMPTS_CEILING + ", is " + maxAttempts);
    }
    RedriveStore.Edit edit = new RedriveStore.Edit(ids.get(), checked, maxAttempts);
    Replacement result =
        transactions.callOrThrow(
            tx -> JobFacts.replacing(tx, id, () -> RedriveStore.replace(tx, id, edit, maker)));
    if (result instanceof Replacement.Replaced) {
      waiting.run();
    }
    return result;
  }

  /** One dead letter; empty when the job is not dead or not there. */
  public Optional<DeadLetterView> find(UUID id) {
    return transactions.callOrThrow(tx -> RedriveStore.find(tx, id));
  }
}
