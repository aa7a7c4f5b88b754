package dev.millpond.scenarios.stage;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/** Calls the api processes of the fleet, as any client would. Thread-safe. */
public final class Api implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration TIMEOUT = Duration.ofSeconds(60);

  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final List<URI> urls;

  /**
   * @param urls of the processes with the role api
   */
  Api(List<URI> urls) {
    this.urls = List.copyOf(urls);
  }

  /** How many api processes there are. */
  public int nodes() {
    return urls.size();
  }

  /**
   * An answer.
   *
   * @param retryAfterSeconds of its header; -1 without one
   */
  public record Reply(int status, JsonNode json, long retryAfterSeconds) {
    public boolean done() {
      return status / 100 == 2;
    }
  }

  /** Calls the first process. */
  public Reply call(String verb, String path, @Nullable String body)
      throws IOException, InterruptedException {
    return call(0, verb, path, body);
  }

  /**
   * Calls one of the processes.
   *
   * @param node from 0
   * @param body JSON; null for none
   */
  public Reply call(int node, String verb, String path, @Nullable String body)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(urls.get(node % urls.size()).resolve(path)).timeout(TIMEOUT);
    if (body != null) {
      request.header("Content-Type", "application/json");
    }
    HttpResponse<String> response =
        client.send(
            request
                .method(
                    verb, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body))
                .build(),
            BodyHandlers.ofString());
    String text = response.body();
    return new Reply(
        response.statusCode(),
        JSON.readTree(text.isEmpty() ? "{}" : text),
        response.headers().firstValueAsLong("Retry-After").orElse(-1));
  }

  /**
   * Calls the first process, which has to do it.
   *
   * @throws StageException when it answers otherwise
   */
  public JsonNode done(String verb, String path, @Nullable String body)
      throws IOException, InterruptedException {
    Reply reply = call(verb, path, body);
    if (!reply.done()) {
      throw new StageException(
          verb + " " + path + " was answered by " + reply.status() + ": " + reply.json());
    }
    return reply.json();
  }

  /**
   * A gauge without labels, as a process serves it.
   *
   * @throws StageException when it serves none of that name
   */
  double gauge(URI process, String name) throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(process.resolve("/metrics")).timeout(TIMEOUT).build();
    return client
        .send(request, BodyHandlers.ofString())
        .body()
        .lines()
        .filter(line -> line.startsWith(name + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
        .findFirst()
        .orElseThrow(() -> new StageException(process + " serves no " + name));
  }

  @Override
  public void close() {
    client.close();
  }
}
