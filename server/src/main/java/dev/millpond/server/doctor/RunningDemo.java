package dev.millpond.server.doctor;

import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/**
 * The servers of a demo that runs on this machine, by the {@code run.json} in its data directory.
 *
 * @param directory the demo's data directory
 * @param pid the demo's process
 */
public record RunningDemo(Path directory, long pid, String pgUrl, List<String> redisUrls) {
  /** More is no file of the demo's. */
  private static final int BYTES_MAX = 64 * 1024;

  private static final String JDBC = "jdbc:";

  /**
   * Looks for one. A file is believed only when it belongs to the user of this process, its demo
   * lives and its servers are on this machine: what others put into a shared directory is not.
   */
  public static Optional<RunningDemo> find(Path directory) {
    Path file = directory.resolve("run.json");
    try {
      if (!Files.isRegularFile(file)
          || Files.size(file) > BYTES_MAX
          || !Files.getOwner(file).getName().equals(System.getProperty("user.name"))) {
        return Optional.empty();
      }
      JsonNode run = new ObjectMapper().readTree(Files.readString(file));
      RunningDemo demo =
          new RunningDemo(
              directory,
              run.path("pid").asLong(0),
              run.path("pgUrl").asString(""),
              run.path("redisUrls").valueStream().map(url -> url.asString("")).toList());
      return demo.lives() && demo.isLocal() ? Optional.of(demo) : Optional.empty();
    } catch (IOException | JacksonException | IllegalArgumentException e) {
      return Optional.empty(); // Being written, or not the demo's.
    }
  }

  private boolean lives() {
    return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
  }

  private boolean isLocal() throws UnknownHostException {
    if (!pgUrl.startsWith(JDBC) || !isLoopback(pgUrl.substring(JDBC.length()))) {
      return false;
    }
    for (String url : redisUrls) {
      if (!isLoopback(url)) {
        return false;
      }
    }
    return true;
  }

  private static boolean isLoopback(String url) throws UnknownHostException {
    String host = URI.create(url).getHost();
    return host != null && InetAddress.getByName(host).isLoopbackAddress();
  }
}
