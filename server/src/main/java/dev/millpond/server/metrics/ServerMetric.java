package dev.millpond.server.metrics;

import dev.millpond.engine.metrics.Metric;

/** The metrics of the server beside those of the engine. */
@SuppressWarnings("ImmutableEnumChecker") // a record of texts and a list that does not change
public enum ServerMetric {
  HTTP_REQUESTS(
      "http.requests",
      Metric.Type.HISTOGRAM,
      Metric.SECONDS,
      "Requests, from their head to the end of the answer; routes as in the API, _none for others",
      "method",
      "route",
      "status"),
  HTTP_CONNECTIONS("http.connections", Metric.Type.GAUGE, "", "Open connections"),
  BUILD("build", Metric.Type.GAUGE, "", "Always 1; tells what runs here", "java", "roles");

  private final Metric metric;

  ServerMetric(String name, Metric.Type type, String unit, String meaning, String... labels) {
    this.metric = Metric.of("millpond." + name, type, unit, meaning, labels);
  }

  public Metric metric() {
    return metric;
  }
}
