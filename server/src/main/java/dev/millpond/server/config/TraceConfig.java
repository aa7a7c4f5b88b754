package dev.millpond.server.config;

import java.net.URI;

/**
 * Where spans go.
 *
 * @param collector takes OTLP over HTTP
 * @param ratio of the requests without a trace that begin one
 */
public record TraceConfig(URI collector, double ratio) {
  /** Where the collector takes traces: by the standard a path of its own. */
  public URI tracesUrl() {
    String base = collector.toString();
    return URI.create(base.endsWith("/") ? base + "v1/traces" : base + "/v1/traces");
  }
}
