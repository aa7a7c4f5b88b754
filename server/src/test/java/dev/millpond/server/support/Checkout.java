package dev.millpond.server.support;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;

/** Where the files of the checkout are that is tested. */
public final class Checkout {
  private Checkout() {}

  /**
   * A file or directory of it.
   *
   * @param relative such as {@code docs/metrics.md}
   */
  public static Path path(String relative) {
    Path directory = Path.of("").toAbsolutePath();
    while (directory != null && !Files.exists(directory.resolve("docs/ARCHITECTURE.md"))) {
      directory = directory.getParent();
    }
    assertThat(directory).as("a checkout").isNotNull();
    return directory.resolve(relative);
  }
}
