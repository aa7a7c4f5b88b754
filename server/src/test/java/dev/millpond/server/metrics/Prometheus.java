package dev.millpond.server.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.server.support.Checkout;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A Prometheus of its own, with the configuration and rules of deploy/prometheus, but for a scrape
 * and an evaluation each second.
 */
final class Prometheus implements AutoCloseable {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Path DEPLOYED = Checkout.path("deploy/prometheus");

  private final Process process;
  private final URI url;
  private final Path log;
  private final HttpClient client = HttpClient.newHttpClient();

  private Prometheus(Process process, URI url, Path log) {
    this.process = process;
    this.url = url;
    this.log = log;
  }

  /** Whether both programs are on the path, as the Debian package prometheus puts them there. */
  static boolean installed() {
    return program("prometheus") && program("promtool");
  }

  private static boolean program(String name) {
    return Arrays.stream(System.getenv("PATH").split(":", -1))
        .anyMatch(directory -> Files.isExecutable(Path.of(directory, name)));
  }

  /**
   * Starts it.
   *
   * @param directory an empty one
   * @param target what it scrapes
   */
  static Prometheus start(Path directory, URI target) throws IOException {
    Files.createDirectories(directory.resolve("rules"));
    Files.createDirectories(directory.resolve("targets"));
    try (Stream<Path> rules = Files.list(DEPLOYED.resolve("rules"))) {
      for (Path rule : rules.toList()) {
        Files.copy(rule, directory.resolve("rules").resolve(rule.getFileName()));
      }
    }
    String config =
        Files.readString(DEPLOYED.resolve("prometheus.yml"))
            .replaceAll("(scrape_interval|evaluation_interval|refresh_interval): \\d+s", "$1: 1s");
    Files.writeString(directory.resolve("prometheus.yml"), config);
    Files.writeString(
        directory.resolve("targets/millpond.yml"),
        "- targets: ['%s:%d']%n".formatted(target.getHost(), target.getPort()));
    int port = freePort();
    Path log = directory.resolve("prometheus.log");
    Process process =
        new ProcessBuilder(
                "prometheus",
                "--config.file=" + directory.resolve("prometheus.yml"),
                "--storage.tsdb.path=" + directory.resolve("data"),
                "--web.listen-address=127.0.0.1:" + port)
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    Prometheus prometheus = new Prometheus(process, URI.create("http://127.0.0.1:" + port), log);
    try {
      await("prometheus is ready").atMost(PATIENCE).until(prometheus::ready);
    } catch (RuntimeException | Error e) {
      prometheus.close();
      throw new AssertionError(Files.readString(log), e);
    }
    return prometheus;
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private boolean ready() throws InterruptedException {
    try {
      HttpRequest request = HttpRequest.newBuilder(url.resolve("/-/ready")).build();
      return client.send(request, BodyHandlers.discarding()).statusCode() == 200;
    } catch (IOException e) {
      assertThat(process.isAlive()).as("prometheus lives, see %s", log).isTrue();
      return false;
    }
  }

  /** The series that an expression gives now; fails when it is refused. */
  List<JsonNode> query(String expression) throws IOException, InterruptedException {
    JsonNode answer =
        send(
            HttpRequest.newBuilder(url.resolve("/api/v1/query"))
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(
                    BodyPublishers.ofString(
                        "query=" + URLEncoder.encode(expression, StandardCharsets.UTF_8))));
    assertThat(answer.get("status").asString())
        .as("%s: %s", expression, answer)
        .isEqualTo("success");
    List<JsonNode> series = new ArrayList<>();
    answer.get("data").get("result").forEach(series::add);
    return series;
  }

  /** The value of an expression that gives one series; empty while it gives none. */
  OptionalDouble value(String expression) throws IOException, InterruptedException {
    List<JsonNode> series = query(expression);
    assertThat(series.size()).as(expression).isLessThan(2);
    return series.isEmpty()
        ? OptionalDouble.empty()
        : OptionalDouble.of(Double.parseDouble(series.getFirst().get("value").get(1).asString()));
  }

  /** All rules as they were last evaluated. */
  List<JsonNode> rules() throws IOException, InterruptedException {
    JsonNode answer = send(HttpRequest.newBuilder(url.resolve("/api/v1/rules")));
    List<JsonNode> rules = new ArrayList<>();
    answer.get("data").get("groups").forEach(group -> group.get("rules").forEach(rules::add));
    return rules;
  }

  private JsonNode send(HttpRequest.Builder request) throws IOException, InterruptedException {
    HttpResponse<String> response = client.send(request.build(), BodyHandlers.ofString());
    return JSON.readTree(response.body());
  }

  /** Runs promtool on files of deploy/prometheus; what it says, when it finds nothing wrong. */
  static String promtool(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("promtool"));
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command).directory(DEPLOYED.toFile()).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as("%s%n%s", command, said).isZero();
    return said;
  }

  @Override
  public void close() {
    client.close();
    process.destroy();
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
