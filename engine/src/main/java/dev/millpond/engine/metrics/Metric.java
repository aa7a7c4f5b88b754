package dev.millpond.engine.metrics;

import java.util.List;
import java.util.Locale;

/**
 * What a metric is, in code: its name, type and labels, and what it says. The same goes into {@code
 * # HELP} of a scrape and into docs/metrics.md.
 *
 * @param name with dots, as Micrometer wants it: {@code millpond.queue.depth}
 * @param unit of a value; empty for a number of things that the name says
 * @param meaning one sentence
 * @param labels in their order
 */
public record Metric(String name, Type type, String unit, String meaning, List<String> labels) {
  /** How a metric behaves. */
  public enum Type {
    /** Only grows, until its process ends. */
    COUNTER,
    /** A value of this moment. */
    GAUGE,
    /** A distribution, by buckets. */
    HISTOGRAM,
    /** A count, a sum and a recent maximum. */
    SUMMARY
  }

  public Metric {
    labels = List.copyOf(labels);
  }

  /** A metric with labels. */
  public static Metric of(String name, Type type, String unit, String meaning, String... labels) {
    return new Metric(name, type, unit, meaning, List.of(labels));
  }

  /** The name in Prometheus, without the endings of the parts of a distribution. */
  public String exposed() {
    String plain = name.replace('.', '_');
    return switch (type) {
      case COUNTER -> plain + "_total";
      case GAUGE -> plain;
      case HISTOGRAM, SUMMARY -> unit.equals(SECONDS) ? plain + "_seconds" : plain;
    };
  }

  /** The type in Prometheus. */
  public String exposedType() {
    return type.name().toLowerCase(Locale.ROOT);
  }

  /** Label names and values in turn, as Micrometer wants them. */
  String[] tags(String... values) {
    if (values.length != labels.size()) {
      throw new IllegalArgumentException(
          "%s has the labels %s, not %d".formatted(name, labels, values.length));
    }
    String[] tags = new String[2 * values.length];
    for (int i = 0; i < values.length; i++) {
      tags[2 * i] = labels.get(i);
      tags[2 * i + 1] = values[i];
    }
    return tags;
  }

  public static final String SECONDS = "seconds";
  public static final String BYTES = "bytes";
}
