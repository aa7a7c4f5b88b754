package dev.millpond.server.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.engine.metrics.EngineMetric;
import dev.millpond.engine.metrics.EngineMetrics;
import dev.millpond.engine.metrics.Metric;
import dev.millpond.server.support.Checkout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The reference of the metrics, written from the tables in the code. The test compares; with {@code
 * -Dmillpond.docs.write=true} it writes. That a running server has these metrics, with these types
 * and labels, and no others, {@code PrometheusIT} sees.
 */
class MetricsReferenceTest {
  private static final boolean WRITE = Boolean.getBoolean("millpond.docs.write");
  private static final String HOW =
      "mvn test -pl server -am -Dtest=MetricsReferenceTest"
          + " -Dsurefire.failIfNoSpecifiedTests=false -Dmillpond.docs.write=true";

  @Test
  void theReferenceSaysWhatTheCodeSays() throws IOException {
    Path file = Checkout.path("docs/metrics.md");
    if (WRITE) {
      Files.writeString(file, reference());
    }
    assertThat(Files.readString(file)).as("write %s again: %s", file, HOW).isEqualTo(reference());
  }

  @Test
  void noTwoMetricsHaveOneName() {
    Set<String> names = new HashSet<>();
    for (Metric metric : all()) {
      assertThat(names.add(metric.exposed())).as(metric.exposed()).isTrue();
      assertThat(metric.exposed()).matches("millpond_[a-z_]+");
    }
  }

  /** All metrics of a server that are its own. */
  static List<Metric> all() {
    return Stream.concat(
            Arrays.stream(EngineMetric.values()).map(EngineMetric::metric),
            Arrays.stream(ServerMetric.values()).map(ServerMetric::metric))
        .toList();
  }

  private static String reference() {
    StringBuilder text =
        new StringBuilder(
            """
            # Metrics

            Written from `EngineMetric` and `ServerMetric` by `MetricsReferenceTest`. Change the tables, then: `%s`.

            Every process serves them at `/metrics` as Prometheus text. A scrape reads memory only, asks neither PostgreSQL nor Redis, and
            is made at most four times a second, and for a twentieth of the time at most, however often it is asked for ([what it costs](operating/monitoring.md#what-a-scrape-costs)); `prometheus.yml`, alert rules and dashboards are in
            [deploy](../deploy/), what to do about an alert is in the [runbook](operating/runbook.md).

            - A histogram has `_bucket{le}`, `_count` and `_sum`, a summary the last two; both have a recent maximum in `_max`.
            - What is marked *leader* is of the whole fleet, is sampled every 5 s by the process that leads, and is there once: take `max` of it. Everything else is of one process:
              take `sum` of it.
            - The first %d queues, %d kinds and %d combinations of queue, class and kind that a process sees have series of their own;
              the others are called `_other`, and combinations beyond their bound are one series whose labels are all that.
            - Counters of a queue, class and kind start at zero with its first job.

            | name | type | labels | unit | meaning |
            |---|---|---|---|---|
            """
                .formatted(
                    HOW,
                    EngineMetrics.QUEUES_MAX,
                    EngineMetrics.KINDS_MAX,
                    EngineMetrics.SORTS_MAX));
    for (EngineMetric metric : EngineMetric.values()) {
      text.append(row(metric.metric(), metric.leaders()));
    }
    for (ServerMetric metric : ServerMetric.values()) {
      text.append(row(metric.metric(), false));
    }
    return text.append(
            """

            Beside these, under the names that Micrometer gives them: `jvm_*` (memory, collections, threads, classes), `process_*` and
            `system_*` (processor, files, uptime), and `hikaricp_*{pool="millpond"}` (the pool of connections for everything that is not
            the hot path).
            """)
        .toString();
  }

  private static String row(Metric metric, boolean leaders) {
    return "| `%s` | %s%s | %s | %s | %s |%n"
        .formatted(
            metric.exposed(),
            metric.exposedType(),
            leaders ? ", *leader*" : "",
            metric.labels().stream().map(l -> "`" + l + "`").collect(Collectors.joining(", ")),
            metric.unit(),
            metric.meaning());
  }
}
