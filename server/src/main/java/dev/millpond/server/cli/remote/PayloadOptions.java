package dev.millpond.server.cli.remote;

import dev.millpond.server.cli.terminal.Terminal;
import dev.millpond.server.client.ApiJson;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import tools.jackson.core.JacksonException;

/** Where a payload comes from. It goes to the server as it is written. */
final class PayloadOptions {
  /** More is refused before it is read; the server's own limit is far below. */
  private static final int BYTES_MOST = 16 * 1024 * 1024;

  @Option(names = "--payload", paramLabel = "JSON", description = "The payload.")
  private @Nullable String payload;

  @Option(
      names = "--payload-file",
      paramLabel = "FILE",
      description = "Reads the payload from a file; - for standard input.")
  private @Nullable Path file;

  boolean given() {
    return payload != null || file != null;
  }

  /**
   * The payload; null when none is given.
   *
   * @throws InputException when it is given twice or no JSON
   */
  @Nullable String read(Terminal terminal) throws IOException {
    if (payload != null && file != null) {
      throw new InputException("--payload and --payload-file cannot be given together");
    }
    if (payload != null) {
      return checked(payload, "--payload");
    }
    if (file == null) {
      return null;
    }
    if (file.toString().equals("-")) {
      return stdin(terminal);
    }
    try (InputStream in = Files.newInputStream(file)) {
      return checked(read(in, file.toString()), file.toString());
    } catch (IOException e) {
      throw new InputException("Cannot read " + file + ": " + e);
    }
  }

  /** The payload on standard input. */
  static String stdin(Terminal terminal) throws IOException {
    return checked(read(terminal.in(), "standard input"), "standard input");
  }

  /** Refuses a text that is not one JSON value, or might not stay one within the request. */
  static String checked(String json, String origin) {
    try {
      if (!ApiJson.parse(json).isMissingNode()) {
        return json;
      }
    } catch (JacksonException e) {
      throw new InputException(
          "The payload of "
              + origin
              + " is no JSON: "
              + e.getOriginalMessage()
              + (e.getLocation() == null
                  ? ""
                  : " at line "
                      + e.getLocation().getLineNr()
                      + ", column "
                      + e.getLocation().getColumnNr()));
    }
    throw new InputException("The payload of " + origin + " is empty");
  }

  private static String read(InputStream in, String origin) throws IOException {
    byte[] bytes = in.readNBytes(BYTES_MOST + 1);
    if (bytes.length > BYTES_MOST) {
      throw new InputException(
          "The payload of " + origin + " has more than " + BYTES_MOST + " bytes");
    }
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
