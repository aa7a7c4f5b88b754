package dev.millpond.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the documentation says, from the folder of the sources or of this module. */
final class Documentation {
  private Documentation() {}

  /** The page about performance. */
  static String performance() throws IOException {
    Path page = Path.of("docs", "performance.md");
    return Files.readString(Files.exists(page) ? page : Path.of("..").resolve(page));
  }
}
