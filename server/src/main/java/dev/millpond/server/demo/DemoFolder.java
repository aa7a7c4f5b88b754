package dev.millpond.server.demo;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Comparator;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import tools.jackson.databind.ObjectMapper;

/**
 * The demo's files under its data directory: {@code run.json} while it runs, {@code pictures} from
 * the handlers' jar, and {@code runs/<run id>} with the thumbnails and the {@code report.json} of
 * the latest runs.
 */
final class DemoFolder {
  /** Outputs of older runs are deleted. */
  static final int RUNS_KEPT = 5;

  private static final String PICTURES = "pictures/";
  private static final Pattern RUN_ID = Pattern.compile("\\d{8}-\\d{6}-[0-9a-f]{4}");
  private static final DateTimeFormatter STAMP =
      DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss").withZone(ZoneOffset.UTC);

  private final Path data;

  /**
   * A folder.
   *
   * @param data absolute; made when new
   */
  DemoFolder(Path data) {
    this.data = data;
  }

  /** Makes the folder of a new run, and deletes those of old ones. */
  Path newRun() throws IOException {
    Path runs = Files.createDirectories(data.resolve("runs"));
    try (Stream<Path> all = Files.list(runs)) {
      List<Path> old =
          all.filter(run -> RUN_ID.matcher(run.getFileName().toString()).matches())
              .sorted(Comparator.reverseOrder())
              .skip(RUNS_KEPT - 1)
              .toList();
      for (Path run : old) {
        delete(run);
      }
    }
    String id =
        "%s-%04x"
            .formatted(STAMP.format(Instant.now()), ThreadLocalRandom.current().nextInt(0x10000));
    return Files.createDirectory(runs.resolve(id));
  }

  /** Copies the pictures out of a jar, once, and gives their folder. */
  Path pictures(Path jar) throws IOException {
    Path folder = Files.createDirectories(data.resolve("pictures"));
    try (JarFile file = new JarFile(jar.toFile())) {
      Enumeration<JarEntry> entries = file.entries();
      while (entries.hasMoreElements()) {
        JarEntry entry = entries.nextElement();
        String name = entry.getName();
        if (entry.isDirectory() || !name.startsWith(PICTURES)) {
          continue;
        }
        Path target = folder.resolve(Path.of(name).getFileName());
        if (!Files.exists(target) || Files.size(target) != entry.getSize()) {
          try (InputStream in = file.getInputStream(entry)) {
            Files.copy(in, target, StandardCopyOption.REPLACE_EXISTING);
          }
        }
      }
    }
    return folder;
  }

  /** Says where the demo is, for scripts; replaced in one step. */
  void writeRunFile(DemoTopology topology, String run) throws IOException {
    byte[] content =
        new ObjectMapper()
            .writeValueAsBytes(
                Map.of(
                    "url", topology.url().toString(),
                    "pid", ProcessHandle.current().pid(),
                    "run", run,
                    "pgUrl", topology.pgUrl(),
                    "redisUrls", topology.redisUrl().stream().toList()));
    Path part = data.resolve("run.json.part");
    Files.write(part, content);
    Files.move(
        part, runFile(), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  /** Remembers the ports of the receivers from run to run. */
  Path sinksFile() {
    return data.resolve("sinks.properties");
  }

  Path runFile() {
    return data.resolve("run.json");
  }

  private static void delete(Path tree) throws IOException {
    try (Stream<Path> all = Files.walk(tree)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    }
  }
}
