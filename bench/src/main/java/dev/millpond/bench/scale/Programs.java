package dev.millpond.bench.scale;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Where the machine's own programs are. */
final class Programs {
  private static final Path DEBIAN_POSTGRES = Path.of("/usr/lib/postgresql");

  private Programs() {}

  static boolean onPath(String program) {
    return find(program) != null;
  }

  private static @Nullable Path find(String program) {
    String path = System.getenv("PATH");
    if (path == null) {
      return null;
    }
    for (String folder : path.split(File.pathSeparator, -1)) {
      if (!folder.isEmpty() && Files.isExecutable(Path.of(folder, program))) {
        return Path.of(folder, program);
      }
    }
    return null;
  }

  /** The folder with {@code postgres} and {@code initdb}, of the newest version; null without. */
  static @Nullable Path postgres() {
    Path onPath = find("postgres");
    if (onPath != null) {
      try {
        return onPath.toRealPath().getParent();
      } catch (IOException e) {
        return onPath.getParent();
      }
    }
    try (Stream<Path> versions = Files.list(DEBIAN_POSTGRES)) {
      return versions
          .map(version -> version.resolve("bin"))
          .filter(bin -> Files.isExecutable(bin.resolve("postgres")))
          .max(Comparator.comparingInt(bin -> number(bin.getName(bin.getNameCount() - 2))))
          .orElse(null);
    } catch (IOException e) {
      return null;
    }
  }

  private static int number(Path version) {
    String name = version.toString();
    return name.matches("\\d{1,4}") ? Integer.parseInt(name) : 0;
  }

  /** This JVM's own {@code java} with the class path, ready for a main class. */
  static List<String> java(String... options) {
    return Stream.of(
            Stream.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()),
            Stream.of(options),
            Stream.of("-cp", System.getProperty("java.class.path")))
        .flatMap(part -> part)
        .toList();
  }
}
