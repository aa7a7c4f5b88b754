package dev.millpond.engine.books;

import dev.millpond.engine.books.BooksReport.Finding;
import dev.millpond.engine.books.store.BooksStore;
import dev.millpond.engine.metrics.EngineMetric;
import dev.millpond.engine.metrics.EngineMetrics;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.MultiGauge.Row;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Shows what the last check of the books in this process found. Thread-safe. */
public final class BooksGauges {
  private final MultiGauge findings;
  private volatile @Nullable Long checkedNanos;

  public BooksGauges(EngineMetrics metrics) {
    this.findings = metrics.multiGauge(EngineMetric.BOOKS_FINDINGS);
    metrics.gauge(EngineMetric.BOOKS_AGE, this::ageSeconds);
  }

  /** Not a number before the first check. */
  private double ageSeconds() {
    Long checked = checkedNanos;
    return checked == null ? Double.NaN : (System.nanoTime() - checked) / 1e9;
  }

  /** Shows a report; of each rule of the tables it is said as well that all is in order. */
  public void show(BooksReport report) {
    Map<String, Integer> byRule = new TreeMap<>();
    BooksStore.ruleNames().forEach(rule -> byRule.put(rule, 0));
    for (Finding finding : report.findings()) {
      byRule.merge(finding.rule(), 1, Integer::sum);
    }
    List<Row<?>> rows = new ArrayList<>();
    byRule.forEach(
        (rule, count) -> rows.add(EngineMetrics.row(EngineMetric.BOOKS_FINDINGS, count, rule)));
    findings.register(rows, true);
    checkedNanos = System.nanoTime();
  }
}
