package dev.millpond.server.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.embedded.ClassImage;
import dev.millpond.server.cli.MillpondCommand;
import dev.millpond.server.support.LiveServer;
import dev.millpond.server.support.ServerProcess;
import java.io.IOException;
import java.net.URI;
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
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A container of compose.yaml as a process of this machine: its environment and nothing else of
 * this process' own, on a free port. Killed at the end if need be.
 */
final class ContainerProcess implements AutoCloseable {
  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final long CHECK_SECONDS = 3;
  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  private final Compose.Container container;
  private final Process process;
  private final Path output;
  private final Path directory;

  private ContainerProcess(
      Compose.Container container, Process process, Path output, Path directory) {
    this.container = container;
    this.process = process;
    this.output = output;
    this.directory = directory;
  }

  /**
   * Starts it.
   *
   * @param directory its volume
   * @param here what is elsewhere on this machine than in the network of the containers: settings
   *     instead of those of the file
   * @param command instead of its own, as in {@code docker compose run}; empty for its own
   */
  static ContainerProcess start(
      Compose.Container container, Path directory, Map<String, String> here, List<String> command)
      throws IOException {
    Files.createDirectories(directory);
    Path output = Files.createTempFile(directory, container.name(), ".log");
    List<String> words =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xmx128m"));
    ClassImage.Use image = ServerProcess.image();
    words.addAll(image.options());
    words.add(MillpondCommand.class.getName());
    words.addAll(command.isEmpty() ? container.command() : command);
    ProcessBuilder builder = new ProcessBuilder(words).redirectError(output.toFile());
    if (command.isEmpty()) {
      builder.redirectErrorStream(true).redirectOutput(output.toFile());
    }
    builder.environment().clear();
    builder.environment().putAll(container.environment());
    builder.environment().putAll(here);
    return new ContainerProcess(container, image.by(builder.start()), output, directory);
  }

  String name() {
    return container.name();
  }

  long pid() {
    return process.pid();
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /**
   * Waits until its health check says that it is healthy: three times as long as the file lets it,
   * for a build has other things to do.
   */
  void awaitHealthy(Compose compose) {
    await(name() + " is healthy")
        .atMost(container.healthyWithin().multipliedBy(3))
        .pollInterval(Duration.ofMillis(100))
        .until(() -> !process.isAlive() || healthy(compose));
    assertThat(process.isAlive()).as(this::output).isTrue();
  }

  private boolean healthy(Compose compose) throws IOException, InterruptedException {
    if (!Files.exists(runFile())) {
      return false; // there is no port yet
    }
    assertThat(container.check()).hasSize(2).startsWith("CMD");
    ProcessBuilder check =
        new ProcessBuilder(compose.copied(container.check().get(1)).toString())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD);
    check.environment().put("MILLPOND_HTTP_PORT", Integer.toString(url().getPort()));
    Process asked = check.start();
    boolean ended = asked.waitFor(CHECK_SECONDS, TimeUnit.SECONDS);
    asked.destroyForcibly();
    return ended && asked.exitValue() == 0;
  }

  private Path runFile() {
    return directory.resolve("run.json");
  }

  private URI url() throws IOException {
    int port =
        URI.create(LiveServer.json(Files.readString(runFile())).get("url").asString()).getPort();
    return URI.create("http://127.0.0.1:" + port);
  }

  /** Gets, without a key. */
  String get(String path) throws IOException, InterruptedException {
    return send(HttpRequest.newBuilder(url().resolve(path)).GET(), null).body();
  }

  /** Posts JSON. */
  HttpResponse<String> post(String path, String json, String key)
      throws IOException, InterruptedException {
    return send(
        HttpRequest.newBuilder(url().resolve(path))
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(json)),
        key);
  }

  private static HttpResponse<String> send(HttpRequest.Builder request, @Nullable String key)
      throws IOException, InterruptedException {
    if (key != null) {
      request.header("Authorization", "Bearer " + key);
    }
    return CLIENT.send(request.timeout(TIMEOUT).build(), BodyHandlers.ofString());
  }

  /** Ends it by SIGKILL. */
  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  /** Sends SIGTERM. */
  void terminate() {
    process.destroy();
  }

  /** Asserts that it ends well before it would be killed. */
  void awaitEnd() throws InterruptedException {
    assertThat(process.waitFor(container.grace().toSeconds(), TimeUnit.SECONDS))
        .as("%s ends within %s: %s", name(), container.grace(), output())
        .isTrue();
    assertThat(process.exitValue()).as(this::output).isZero();
  }

  /** What a short command prints, once it has ended well. */
  String printed() throws IOException, InterruptedException {
    String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(this::output).isZero();
    return printed.strip();
  }

  /** All it has written to its log so far. */
  String output() {
    try {
      return name() + ": " + Files.readString(output);
    } catch (IOException e) {
      return e.toString();
    }
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
