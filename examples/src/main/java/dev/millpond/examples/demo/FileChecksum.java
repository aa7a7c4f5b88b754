package dev.millpond.examples.demo;

import dev.millpond.api.FatalJobException;
import dev.millpond.api.JobContext;
import dev.millpond.api.JobHandler;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * Computes the SHA-256 of a file, reading it as a stream. Changes nothing, so it may run again.
 *
 * <p>A path that is no regular file is fatal; an error while reading is tried again.
 */
public final class FileChecksum implements JobHandler<FileChecksum.Order> {
  private static final int BUFFER_BYTES = 64 * 1024;

  /**
   * Which file to read.
   *
   * @param file its path
   */
  public record Order(String file) {}

  /**
   * What was read.
   *
   * @param sha256 64 hexadecimal digits, lower case
   * @param bytes how many were read
   */
  public record Checksum(String sha256, long bytes) {}

  @Override
  public Checksum run(JobContext context, Order order) throws IOException {
    Path file = Path.of(order.file());
    if (!Files.isRegularFile(file)) {
      throw new FatalJobException(file + " is not a file");
    }
    MessageDigest digest = sha256();
    byte[] buffer = new byte[BUFFER_BYTES];
    long total = Files.size(file);
    long done = 0;
    try (InputStream in = Files.newInputStream(file)) {
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        context.checkStop();
        digest.update(buffer, 0, read);
        done += read;
        if (done < total) {
          context.progress((int) (done * 100 / total), null);
        }
      }
    } catch (NoSuchFileException e) {
      throw new FatalJobException(file + " was removed", e);
    }
    return new Checksum(HexFormat.of().formatHex(digest.digest()), done);
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java platform has SHA-256", e);
    }
  }
}
