package dev.millpond.server.support;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.embedded.ClassImage;
import dev.millpond.server.cli.MillpondCommand;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/** A process of the program, started as a user would start it. Killed at the end if need be. */
public final class ServerProcess implements AutoCloseable {
  /** How long what must come is waited for. */
  public static final Duration PATIENCE = Duration.ofSeconds(60);

  private static final ClassImage IMAGE = ClassImage.make();

  private final Process process;
  private final Path output;
  private final Path runFile;
  private final HttpClient client = HttpClient.newHttpClient();

  private ServerProcess(Process process, Path output, Path runFile) {
    this.process = process;
    this.output = output;
    this.runFile = runFile;
  }

  /**
   * Starts {@code millpond server} on a free port.
   *
   * @param directory for its output and its run file
   */
  public static ServerProcess start(Path directory, String pgUrl, String... flags)
      throws IOException {
    return start(List.of(), directory, pgUrl, flags);
  }

  /**
   * Starts {@code millpond server} on a free port.
   *
   * @param before what comes before the command, such as a shell that sets limits
   * @param directory for its output, its run file and its data
   */
  public static ServerProcess start(
      List<String> before, Path directory, String pgUrl, String... flags) throws IOException {
    Path output = Files.createTempFile(directory, "server", ".log");
    Path runFile = output.resolveSibling(output.getFileName() + ".run.json");
    List<String> command = new ArrayList<>(before);
    command.addAll(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Xmx256m"));
    ClassImage.Use image = image();
    command.addAll(image.options());
    command.addAll(
        List.of(
            MillpondCommand.class.getName(),
            "server",
            "--pg-url",
            pgUrl,
            "--data-dir",
            directory.toString(),
            "--run-file",
            runFile.toString()));
    if (Stream.of(flags).noneMatch(flag -> flag.startsWith("--timing="))) {
      command.add("--timing=fast");
    }
    command.add("--queue-high-watermark=none");
    command.addAll(List.of(flags));
    File log = output.toFile();
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log);
    builder.environment().put("MILLPOND_HTTP_PORT", "0");
    return new ServerProcess(image.by(builder.start()), output, runFile);
  }

  /** To start the program faster; one for all tests of this JVM. */
  public static ClassImage.Use image() {
    return IMAGE.use();
  }

  /** Waits until it serves. */
  public ServerProcess awaitStart() {
    await().atMost(PATIENCE).until(() -> Files.exists(runFile) || !process.isAlive());
    assertThat(process.isAlive()).as(this::output).isTrue();
    return this;
  }

  /** What its run file says. */
  public JsonNode run() throws IOException {
    return LiveServer.json(Files.readString(runFile));
  }

  public long pid() {
    return process.pid();
  }

  public Path runFile() {
    return runFile;
  }

  public HttpResponse<String> get(String path) throws IOException, InterruptedException {
    return send(HttpRequest.newBuilder(uri(path)).GET());
  }

  public HttpResponse<String> post(String path, String body)
      throws IOException, InterruptedException {
    return send(
        HttpRequest.newBuilder(uri(path))
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(body)));
  }

  /** Whether it takes a post; not when it has ended, or is about to. */
  public boolean takes(String path, String body) throws InterruptedException {
    try {
      return post(path, body).statusCode() < 300;
    } catch (IOException e) {
      return false;
    }
  }

  /** Sends SIGTERM. */
  public void terminate() {
    process.destroy();
  }

  /** Waits for its end and returns its exit code. */
  public int exitCode() throws InterruptedException {
    assertThat(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).as(this::output).isTrue();
    return process.exitValue();
  }

  /** All it has written so far. */
  public String output() {
    try {
      return Files.readString(output);
    } catch (IOException e) {
      return e.toString();
    }
  }

  @Override
  public void close() {
    client.close();
    process.destroyForcibly();
  }

  private URI uri(String path) throws IOException {
    return URI.create(run().get("url").asString()).resolve(path);
  }

  private HttpResponse<String> send(HttpRequest.Builder request)
      throws IOException, InterruptedException {
    return client.send(request.timeout(PATIENCE).build(), BodyHandlers.ofString());
  }
}
