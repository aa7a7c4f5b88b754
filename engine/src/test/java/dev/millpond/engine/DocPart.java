package dev.millpond.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A part of a document that a test writes, between {@code <!-- name -->} and {@code <!-- end name
 * -->}. With {@code -Dmillpond.docs.write=true} it is written, otherwise it can be read.
 *
 * @param document such as {@code docs/performance.md}
 */
public record DocPart(String document, String name) {
  public static final boolean WRITE = Boolean.getBoolean("millpond.docs.write");

  /** What is there now. */
  public String read() {
    String text = text();
    return text.substring(from(text), to(text));
  }

  public void write(String part) {
    String text = text();
    String changed = text.substring(0, from(text)) + part + text.substring(to(text));
    try {
      Files.writeString(file(), changed);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private int from(String text) {
    String mark = "<!-- " + name + " -->\n";
    assertThat(text).contains(mark);
    return text.indexOf(mark) + mark.length();
  }

  private int to(String text) {
    String mark = "<!-- end " + name + " -->";
    assertThat(text).contains(mark);
    return text.indexOf(mark);
  }

  private String text() {
    try {
      return Files.readString(file());
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private Path file() {
    Path directory = Path.of("").toAbsolutePath();
    while (directory != null && !Files.exists(directory.resolve("docs/ARCHITECTURE.md"))) {
      directory = directory.getParent();
    }
    assertThat(directory).as("a checkout").isNotNull();
    return directory.resolve(document);
  }
}
