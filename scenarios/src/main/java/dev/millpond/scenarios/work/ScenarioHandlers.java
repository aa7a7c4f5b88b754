package dev.millpond.scenarios.work;

import dev.millpond.api.HandlerModule;
import dev.millpond.api.Handlers;
import dev.millpond.api.JobContext;
import java.util.List;

/** The kinds of a scenario's jobs: they take as long as they are told, and write down when. */
public final class ScenarioHandlers implements HandlerModule {
  /** All the same; limits and pauses tell them apart. */
  public static final List<String> KINDS = List.of("work", "work.a", "work.b");

  /**
   * The payload.
   *
   * @param millis how long it takes
   * @param label under which it is counted, without spaces
   */
  public record Order(int millis, String label) {}

  /** Where a worker finds the ledger: a system property's name. */
  public static String ledgerSetting() {
    return RunLog.DIRECTORY;
  }

  @Override
  public void register(Handlers handlers) {
    RunLog log = RunLog.open();
    for (String kind : KINDS) {
      handlers.registerHandler(kind, Order.class, (context, order) -> run(log, context, order));
    }
  }

  private static int run(RunLog log, JobContext context, Order order) throws InterruptedException {
    log.started(context.jobId(), context.attempt(), order.label());
    if (order.millis() > 0) {
      Thread.sleep(order.millis());
    }
    log.ends(context.jobId());
    return order.millis();
  }
}
