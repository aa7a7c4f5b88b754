package dev.millpond.server.browser;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The installed Chromium without a window, driven by its DevTools protocol: what a test needs of it
 * is a few commands, for which a driver of 200 MB would be downloaded otherwise.
 */
final class Chromium implements AutoCloseable {
  /** Names another browser than that of the path. */
  private static final String PROGRAM_VARIABLE = "MILLPOND_TEST_CHROMIUM";

  private static final List<String> PROGRAMS =
      List.of("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome");

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final Process process;
  private final HttpClient client = HttpClient.newHttpClient();
  private final URI devTools;
  private final List<Tab> tabs = new ArrayList<>();

  private Chromium(Process process, URI devTools) {
    this.process = process;
    this.devTools = devTools;
  }

  /**
   * Starts it.
   *
   * @param directory for its profile
   */
  static Chromium start(Path directory) throws IOException {
    Path profile = Files.createDirectories(directory.resolve("chromium"));
    ProcessBuilder builder =
        new ProcessBuilder(
                program()
                    .orElseThrow(
                        () -> new IOException("There is no Chromium: apt-get install chromium")),
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--disable-extensions",
                "--hide-scrollbars",
                "--remote-debugging-port=0",
                "--user-data-dir=" + profile,
                "about:blank")
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("chromium.log").toFile());
    builder.environment().put("TMPDIR", profile.toString()); // its socket goes with the profile
    Process process = builder.start();
    Path port = profile.resolve("DevToolsActivePort");
    Awaitility.await()
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(20))
        .until(() -> Files.exists(port) && !Files.readString(port).isBlank());
    String number = Files.readAllLines(port).getFirst();
    return new Chromium(process, URI.create("http://127.0.0.1:" + number));
  }

  /** Whether there is one. */
  static boolean installed() {
    return program().isPresent();
  }

  private static Optional<String> program() {
    String named = System.getenv(PROGRAM_VARIABLE);
    List<String> places = named == null ? PROGRAMS : List.of(named);
    return places.stream().filter(place -> Files.isExecutable(Path.of(place))).findFirst();
  }

  /** A new tab. */
  Tab tab() throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(devTools.resolve("/json/new"))
            .PUT(HttpRequest.BodyPublishers.noBody())
            .build();
    JsonNode made = JSON.readTree(client.send(request, BodyHandlers.ofString()).body());
    Tab tab = Tab.connect(client, URI.create(made.get("webSocketDebuggerUrl").asString()));
    tabs.add(tab);
    return tab;
  }

  @Override
  public void close() {
    tabs.forEach(Tab::close);
    client.shutdownNow();
    List<ProcessHandle> all;
    try (Stream<ProcessHandle> children = process.descendants()) {
      all = children.toList();
    }
    process.destroyForcibly().onExit().orTimeout(10, TimeUnit.SECONDS).join();
    all.forEach(ProcessHandle::destroyForcibly);
  }
}
