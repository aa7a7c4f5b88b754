package dev.millpond.server.support;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.embedded.TestServers;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.config.ConfigValues;
import dev.millpond.server.config.ServerConfig;
import dev.millpond.server.run.MillpondServer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A server in this JVM on a free port, with a database of its own, and a client for it. Ends with a
 * look at the books.
 */
public final class LiveServer implements AutoCloseable {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private final MillpondConfig engine;
  private final MillpondServer server;
  private final HttpClient client = HttpClient.newHttpClient();

  private LiveServer(MillpondConfig engine, MillpondServer server) {
    this.engine = engine;
    this.server = server;
  }

  /**
   * Starts a server.
   *
   * @param directory for its run file
   * @param more keys beside or instead of: a fresh database, PostgreSQL only, fast timing, port 0,
   *     queues that are never full
   */
  public static LiveServer start(Path directory, Map<ConfigKey, String> more) {
    Map<ConfigKey, String> flags = new EnumMap<>(ConfigKey.class);
    flags.put(ConfigKey.TIMING, "fast");
    flags.put(ConfigKey.HTTP_PORT, "0");
    flags.put(ConfigKey.QUEUE_HIGH_WATERMARK, "none");
    flags.put(ConfigKey.DATA_DIR, directory.toString());
    flags.putAll(more);
    flags.computeIfAbsent(ConfigKey.PG_URL, key -> migratedDatabase());
    ServerConfig config = ServerConfig.of(ConfigValues.load(flags, Map.of(), null));
    return new LiveServer(config.engine(), MillpondServer.start(config));
  }

  /** The URL of a fresh database with the schema. */
  public static String migratedDatabase() {
    return TestServers.get().freshDatabase(Millpond::migrate);
  }

  /** Asserts that the books of an installation are clean. */
  public static void assertCleanBooks(MillpondConfig engine) {
    try (Millpond millpond = Millpond.connect(engine)) {
      assertThat(millpond.checkBooks().findings()).isEmpty();
    }
  }

  public MillpondConfig engine() {
    return engine;
  }

  public MillpondServer server() {
    return server;
  }

  /** How many jobs have ever been accepted. */
  public long jobs() {
    return server.millpond().checkBooks().jobs();
  }

  public HttpResponse<String> get(String path) throws IOException, InterruptedException {
    return send(HttpRequest.newBuilder(uri(path)).GET());
  }

  /**
   * Posts JSON.
   *
   * @param headers names and values in turn
   */
  public HttpResponse<String> post(String path, String body, String... headers)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri(path))
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(body));
    HttpResponse<String> response =
        sendUnchecked(headers.length == 0 ? request : request.headers(headers));
    ApiContract.check(response, body);
    return response;
  }

  /** Posts without a body. */
  public HttpResponse<String> post(String path) throws IOException, InterruptedException {
    return send(HttpRequest.newBuilder(uri(path)).POST(BodyPublishers.noBody()));
  }

  /** Sends it, and checks that the answer is as the API is described. */
  public HttpResponse<String> send(HttpRequest.Builder request)
      throws IOException, InterruptedException {
    HttpResponse<String> response = sendUnchecked(request);
    ApiContract.check(response, null);
    return response;
  }

  private HttpResponse<String> sendUnchecked(HttpRequest.Builder request)
      throws IOException, InterruptedException {
    return client.send(request.timeout(TIMEOUT).build(), BodyHandlers.ofString());
  }

  public URI uri(String path) {
    return server.url().resolve(path);
  }

  public static JsonNode json(HttpResponse<String> response) {
    return JSON.readTree(response.body());
  }

  public static JsonNode json(String text) {
    return JSON.readTree(text);
  }

  @Override
  public void close() {
    client.close();
    server.close();
    assertCleanBooks(engine);
  }
}
