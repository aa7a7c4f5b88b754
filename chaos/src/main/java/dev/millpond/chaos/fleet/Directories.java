package dev.millpond.chaos.fleet;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Directories with all that is in them. Stateless. */
public final class Directories {
  private Directories() {}

  /** Deletes one; nothing happens when it is not there. */
  public static void delete(Path directory) throws IOException {
    if (Files.exists(directory)) {
      for (Path file : files(directory).reversed()) {
        Files.deleteIfExists(file);
      }
    }
  }

  /** It and all that is in it, each directory before what is in it. */
  public static List<Path> files(Path directory) throws IOException {
    try (Stream<Path> walk = Files.walk(directory)) {
      return walk.sorted(Comparator.naturalOrder()).toList();
    }
  }
}
