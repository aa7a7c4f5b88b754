package dev.millpond.chaos;

import dev.millpond.chaos.campaign.Struck;
import dev.millpond.chaos.campaign.Watcher;
import dev.millpond.chaos.report.JsonLines;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Shows on standard error how a campaign goes: a line a fault, and every two seconds how far it is.
 */
final class LiveLines implements Watcher {
  private static final long EVERY_NANOS = TimeUnit.SECONDS.toNanos(2);

  private final PrintWriter err;
  private final @Nullable PrintWriter json;
  private final long beganNanos = System.nanoTime();
  private long lastNanos = beganNanos - EVERY_NANOS;
  private int faults;
  private int counted;

  /**
   * @param json gets a line of JSON for each fault; null for none
   */
  LiveLines(PrintWriter err, @Nullable PrintWriter json) {
    this.err = err;
    this.json = json;
  }

  @Override
  public synchronized void says(String line) {
    err.printf(Locale.ROOT, "%6.1f s  %s%n", seconds(), line);
    err.flush();
  }

  @Override
  public synchronized void fault(Struck struck) {
    faults++;
    counted += struck.counts() ? 1 : 0;
    says(
        "#%d %s: %s; %d jobs in its hands%s, over after %d ms"
            .formatted(
                struck.number(),
                struck.kind(),
                struck.text(),
                struck.hit().count(),
                struck.counts() ? "" : " (does not count)",
                struck.undoneMillis() - struck.struckMillis()));
    if (json != null) {
      json.println(JsonLines.fault(struck));
      json.flush();
    }
  }

  @Override
  public synchronized void progress(long acknowledged, long ended) {
    if (System.nanoTime() - lastNanos < EVERY_NANOS) {
      return;
    }
    lastNanos = System.nanoTime();
    says(
        "%d faults, %d counted; jobs: %d acknowledged, %d ended"
            .formatted(faults, counted, acknowledged, ended));
  }

  private double seconds() {
    return (System.nanoTime() - beganNanos) / 1e9;
  }
}
