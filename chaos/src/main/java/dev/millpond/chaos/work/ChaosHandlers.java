package dev.millpond.chaos.work;

import dev.millpond.api.Backoff;
import dev.millpond.api.HandlerModule;
import dev.millpond.api.HandlerOptions;
import dev.millpond.api.Handlers;
import dev.millpond.api.JobContext;
import dev.millpond.chaos.journal.RecordClock;
import java.time.Duration;
import java.util.List;

/** The kinds of jobs of a campaign. Each run is written to the ledger before it does anything. */
public final class ChaosHandlers implements HandlerModule {
  private static final HandlerOptions OPTIONS =
      HandlerOptions.DEFAULT
          .withBackoff(new Backoff(Duration.ofMillis(100), Duration.ofSeconds(2)))
          .withTimeouts(Duration.ofSeconds(30), Duration.ofSeconds(40));

  /** The payload. */
  public record Order(long number, int millis, int fails) {}

  /**
   * The result.
   *
   * @param run the one that succeeded
   */
  public record Receipt(long number, String run) {}

  /** Where a worker of the fleet finds the ledger: a system property's name. */
  public static String ledgerSetting() {
    return Runs.DIRECTORY;
  }

  /** What a worker needs that has none of them. */
  public static List<Class<?>> classes() {
    return List.of(ChaosHandlers.class, Payment.class, RecordClock.class, Runs.class, Work.class);
  }

  @Override
  public void register(Handlers handlers) {
    Runs runs = Runs.open();
    for (String kind : new String[] {Work.PLAIN, Work.LONG, Work.RETRY}) {
      handlers.registerHandler(
          kind, Order.class, (context, order) -> run(runs, context, order), OPTIONS);
    }
    handlers.registerHandler(
        Work.PAY, Order.class, (context, order) -> pay(runs, context, order), OPTIONS);
  }

  private static Receipt run(Runs runs, JobContext context, Order order)
      throws InterruptedException {
    String run = started(runs, context, order);
    try {
      Thread.sleep(order.millis());
    } catch (InterruptedException e) {
      runs.stopped(run, e);
      throw e;
    }
    if (context.attempt() <= order.fails()) {
      runs.failedOnPurpose(run);
      throw new IllegalStateException("fails on purpose, attempt " + context.attempt());
    }
    runs.succeeded(run);
    return new Receipt(order.number(), run);
  }

  private static Receipt pay(Runs runs, JobContext context, Order order) throws Exception {
    String run = started(runs, context, order);
    Receipt receipt = new Receipt(order.number(), run);
    try {
      Thread.sleep(order.millis());
      context.completeIn(connection -> {
        new Payment(context.jobId(), order.number(), context.leaseToken(), run).insert(connection);
        return receipt;
      });
    } catch (Exception e) {
      runs.stopped(run, e);
      throw e;
    }
    runs.succeeded(run);
    return receipt;
  }

  private static String started(Runs runs, JobContext context, Order order) {
    return runs.started(context.jobId(), order.number(), context.leaseToken(), context.attempt());
  }
}
