package dev.millpond.server.client;

import dev.millpond.engine.ConfigException;
import dev.millpond.engine.access.KeyText;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** The key that calls are made with. Says nothing of it when it is printed. Immutable. */
public final class CallerKey {
  /** Names its file in the environment. */
  public static final String ENV = "MILLPOND_API_KEY_FILE";

  /** More is no file with a key. */
  private static final int FILE_BYTES_MOST = 4096;

  private final KeyText text;

  private CallerKey(KeyText text) {
    this.text = text;
  }

  /**
   * Reads the key in a file, spaces around it left out. A key is in no flag and no variable: others
   * on the machine can see those.
   *
   * @throws ConfigException when there is none
   */
  public static CallerKey read(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(FILE_BYTES_MOST);
      return KeyText.parse(new String(bytes, StandardCharsets.US_ASCII).strip())
          .map(CallerKey::new)
          .orElseThrow(
              () -> new ConfigException("--api-key-file", file, "a file that holds a key, mp_…"));
    } catch (IOException e) {
      throw new ConfigException("--api-key-file", file, "a file that can be read");
    }
  }

  /** The header's value. */
  String authorization() {
    return "Bearer " + text.reveal();
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
