package dev.millpond.server.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class ExpositionTest {
  private static final int LOOKS = 500;
  private static final int GAUGES = 100;
  private static final int CHANGING = 10;
  private static final int LOOKS_BETWEEN = 5;
  private static final int SCRAPES = 10_000;

  @Test
  void gaugesThatComeAndGoMeanwhileDoNotBreakIt() throws Exception {
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    for (int i = 0; i < GAUGES; i++) {
      Gauge.builder("stays." + i, () -> 1).register(registry);
    }
    AtomicBoolean looked = new AtomicBoolean();
    Thread changes =
        Thread.ofPlatform()
            .start(() -> {
              for (int i = 0; !looked.get(); i++) {
                String name = "comes." + i % CHANGING;
                registry.remove(Gauge.builder(name, () -> 1).register(registry));
                Gauge.builder(name, () -> 1).register(registry);
                for (int look = 0; look < LOOKS_BETWEEN; look++) {
                  registry.scrape(); // as often as a look finds one changed, ten in a row do not
                }
              }
            });
    try {
      for (int i = 0; i < LOOKS; i++) {
        // Each one anew: it keeps what it has made for a moment.
        String text = new String(new Exposition(registry).text(), StandardCharsets.UTF_8);
        assertThat(text).contains("stays_7 1.0");
      }
    } finally {
      looked.set(true);
      changes.join();
    }
  }

  @Test
  void itIsMadeFourTimesASecondAtMostHoweverOftenItIsAskedFor() {
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    AtomicInteger reads = new AtomicInteger();
    Gauge.builder("seen", reads, AtomicInteger::incrementAndGet).register(registry);
    Exposition exposition = new Exposition(registry);
    long began = System.nanoTime();
    for (int i = 0; i < SCRAPES; i++) {
      assertThat(new String(exposition.text(), StandardCharsets.UTF_8)).contains("seen ");
    }
    long most = 1 + (System.nanoTime() - began) / Exposition.SERVES_NANOS;
    assertThat(reads).hasPositiveValue();
    assertThat(reads.get()).isLessThanOrEqualTo((int) most);
  }
}
