package dev.millpond.bench.http;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

/** What a server says of itself on its page of metrics, in Prometheus' text format. */
final class MetricsPage {
  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  private MetricsPage() {}

  /**
   * A counter, over all its labels; 0 where there is none.
   *
   * @throws UncheckedIOException also when the answer is not 200
   */
  static long sum(URI server, String name) {
    return (long)
        page(server)
            .lines()
            .filter(line -> line.startsWith(name + "{") || line.startsWith(name + " "))
            .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
            .sum();
  }

  private static String page(URI server) {
    try {
      HttpResponse<String> response =
          CLIENT.send(
              HttpRequest.newBuilder(server.resolve("/metrics")).build(),
              HttpResponse.BodyHandlers.ofString());
      if (response.statusCode() != 200) {
        throw new UncheckedIOException(
            new IOException("/metrics answered " + response.statusCode()));
      }
      return response.body();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }
}
