package dev.millpond.engine.query;

import dev.millpond.api.CancelResult;
import dev.millpond.api.JobView;
import dev.millpond.api.RedriveResult;
import dev.millpond.engine.books.store.BooksStore;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.Lanes;
import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.query.store.JobStore;
import dev.millpond.engine.query.store.QueueReadStore;
import dev.millpond.engine.query.store.SteerStore;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Reads, cancellation and redrive, each in a transaction of its own. Thread-safe. */
public final class Queries {
  private final Transactions transactions;
  private final Lanes lanes;
  private final BatchMaker maker;

  public Queries(Transactions transactions, Lanes lanes, BatchMaker maker) {
    this.transactions = transactions;
    this.lanes = lanes;
    this.maker = maker;
  }

  public Optional<JobView> find(UUID id) {
    return transactions.callOrThrow(tx -> JobStore.find(tx, id));
  }

  public CancelResult cancel(UUID id) {
    return transactions.callOrThrow(tx -> SteerStore.cancel(tx, id));
  }

  public RedriveResult redrive(UUID id) {
    return transactions.callOrThrow(tx -> SteerStore.redrive(tx, id, maker));
  }

  public List<QueueView> queues() {
    return transactions.callOrThrow(tx -> QueueReadStore.queues(tx, BooksStore.queues(tx), lanes));
  }

  public Page<DeadLetterView> deadLetters(
      DeadLetterFilter filter, @Nullable String cursor, int limit) {
    return transactions.callOrThrow(tx -> QueueReadStore.deadLetters(tx, filter, cursor, limit));
  }
}
