package dev.millpond.server.demo;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/**
 * Checks what jobs made, without their code: each thumbnail is decoded and measured, each checksum
 * compared with one computed here, once a file, up to a number of files. Not thread-safe.
 */
final class OutputCheck {
  /** Files whose checksum is computed again. */
  static final int FILES_MAX = 500;

  private final ObjectMapper json = new ObjectMapper();
  private final Map<Path, String> digests = new HashMap<>();
  private final Map<Path, int[]> sizes = new HashMap<>();
  private final Instant since;
  private int outputs;
  private int changed;

  /**
   * A check of a run.
   *
   * @param since start of the run; a file that was changed later is not compared
   */
  OutputCheck(Instant since) {
    this.since = since;
  }

  /** How many outputs were read. */
  int outputs() {
    return outputs;
  }

  /** How many outputs were not compared, because their file was changed in the meantime. */
  int changed() {
    return changed;
  }

  /** What is wrong with a task's output; empty when nothing is. */
  Optional<String> problemWith(DemoWork.Task task, String result) {
    try {
      JsonNode parsed = json.readTree(result);
      return switch (task) {
        case DemoWork.Task.Resize resize -> problemWith(resize, parsed);
        case DemoWork.Task.Checksum checksum -> problemWith(checksum, parsed);
      };
    } catch (IOException e) {
      return Optional.of("its output cannot be read: " + e);
    } catch (JacksonException e) {
      return Optional.of("its result is no JSON: " + result);
    }
  }

  private Optional<String> problemWith(DemoWork.Task.Resize task, JsonNode result)
      throws IOException {
    outputs++;
    if (!Files.isRegularFile(task.target())) {
      return Optional.of("the thumbnail is missing");
    }
    BufferedImage thumbnail = ImageIO.read(task.target().toFile());
    if (thumbnail == null) {
      return Optional.of("the thumbnail is no picture");
    }
    int[] source = sizes.get(task.source());
    if (source == null) {
      source = sizeOf(task.source());
      sizes.put(task.source(), source);
    }
    int width = Math.min(task.width(), source[0]);
    long height = Math.max(1, Math.round((double) source[1] * width / source[0]));
    String expected = "%dx%d, %d bytes".formatted(width, height, Files.size(task.target()));
    String found =
        "%dx%d, %d bytes"
            .formatted(
                thumbnail.getWidth(), thumbnail.getHeight(), result.path("bytes").asLong(-1));
    String said =
        "%dx%d, %d bytes"
            .formatted(
                result.path("width").asInt(-1),
                result.path("height").asInt(-1),
                result.path("bytes").asLong(-1));
    return expected.equals(found) && expected.equals(said)
        ? Optional.empty()
        : Optional.of("expected " + expected + "; the file has " + found + ", the result " + said);
  }

  private Optional<String> problemWith(DemoWork.Task.Checksum task, JsonNode result)
      throws IOException {
    if (Files.getLastModifiedTime(task.file()).toInstant().isAfter(since)) {
      changed++;
      return Optional.empty();
    }
    String digest = digests.get(task.file());
    if (digest == null) {
      if (digests.size() >= FILES_MAX) {
        return result.path("sha256").asString("").length() == 64
            ? Optional.empty()
            : Optional.of("the result has no checksum: " + result);
      }
      digest = sha256(task.file());
      digests.put(task.file(), digest);
    }
    outputs++;
    String found = result.path("sha256").asString("");
    return digest.equals(found)
        ? Optional.empty()
        : Optional.of("expected " + digest + ", the result has " + found);
  }

  private static int[] sizeOf(Path picture) throws IOException {
    try (ImageInputStream input = ImageIO.createImageInputStream(picture.toFile())) {
      Iterator<ImageReader> readers = ImageIO.getImageReaders(input);
      if (!readers.hasNext()) {
        throw new IOException(picture + " is no picture");
      }
      ImageReader reader = readers.next();
      try {
        reader.setInput(input, true, true);
        return new int[] {reader.getWidth(0), reader.getHeight(0)};
      } finally {
        reader.dispose();
      }
    }
  }

  private static String sha256(Path file) throws IOException {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java platform has SHA-256", e);
    }
    try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
      in.transferTo(OutputStream.nullOutputStream());
    }
    return HexFormat.of().formatHex(digest.digest());
  }
}
