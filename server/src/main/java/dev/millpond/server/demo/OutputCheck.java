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
import java.util.UUID;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/**
 * Checks what jobs made, without their code: each thumbnail is decoded and measured, each checksum
 * compared with one computed here, once a file, up to a number of files; each call and each mail
 * compared with what its receiver got. Not thread-safe.
 */
final class OutputCheck {
  /** Files whose checksum is computed again. */
  static final int FILES_MAX = 500;

  private final ObjectMapper json = new ObjectMapper();
  private final Map<Path, String> digests = new HashMap<>();
  private final Map<Path, int[]> sizes = new HashMap<>();
  private final Instant since;
  private final @Nullable Sinks sinks;
  private int outputs;
  private int changed;
  private Sent calls = new Sent(0, 0, 0);
  private Sent mails = new Sent(0, 0, 0);

  /**
   * A check of a run.
   *
   * @param since start of the run; a file that was changed later is not compared
   * @param sinks what calls and mails came to; null when there were none
   */
  OutputCheck(Instant since, @Nullable Sinks sinks) {
    this.since = since;
    this.sinks = sinks;
  }

  /**
   * What was asked to be sent, and came.
   *
   * @param compared with what was asked for
   * @param duplicates arrivals beyond the first of a job: a job runs at least once
   * @param notKept not compared, because the receiver keeps no more
   */
  record Sent(int compared, int duplicates, int notKept) {}

  /** The calls so far. */
  Sent calls() {
    return calls;
  }

  /** The mails so far. */
  Sent mails() {
    return mails;
  }

  /**
   * A job whose output is to be checked.
   *
   * @param handedOutOnce whether it was given to a worker only once, so that it cannot have run
   *     twice
   * @param result JSON text
   */
  record Done(UUID id, boolean handedOutOnce, String result) {}

  /** How many outputs were read. */
  int outputs() {
    return outputs;
  }

  /** How many outputs were not compared, because their file was changed in the meantime. */
  int changed() {
    return changed;
  }

  /** What is wrong with a task's output; empty when nothing is. */
  Optional<String> problemWith(DemoWork.Task task, Done job) {
    try {
      JsonNode parsed = json.readTree(job.result());
      return switch (task) {
        case DemoWork.Task.Resize resize -> problemWith(resize, parsed);
        case DemoWork.Task.Checksum checksum -> problemWith(checksum, parsed);
        case DemoWork.Task.Call call -> problemWith(call, job, parsed);
        case DemoWork.Task.Mail mail -> problemWith(mail, job, parsed);
      };
    } catch (IOException e) {
      return Optional.of("its output cannot be read: " + e);
    } catch (JacksonException e) {
      return Optional.of("its result is no JSON: " + job.result());
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

  private Optional<String> problemWith(DemoWork.Task.Call task, Done job, JsonNode result) {
    Arrival arrival = arrival(required().calls().receipts(), job, task.content());
    calls = arrival.addedTo(calls);
    String expected = "200 " + CallSink.TAKEN;
    String said = result.path("status").asInt(0) + " " + result.path("body").asString("");
    return arrival
        .problem()
        .or(() ->
            said.equals(expected)
                ? Optional.empty()
                : Optional.of("expected the answer " + expected + ", the result has " + said));
  }

  private Optional<String> problemWith(DemoWork.Task.Mail task, Done job, JsonNode result) {
    Arrival arrival = arrival(required().mails().receipts(), job, task.content());
    mails = arrival.addedTo(mails);
    String expected = "<" + job.id() + "@" + task.domain() + ">";
    String said = result.path("messageId").asString("");
    return arrival
        .problem()
        .or(() ->
            said.equals(expected)
                ? Optional.empty()
                : Optional.of("expected the id " + expected + ", the result has " + said));
  }

  private Sinks required() {
    if (sinks == null) {
      throw new IllegalStateException("a call or a mail, and no receivers");
    }
    return sinks;
  }

  /** What came from one job. */
  private record Arrival(Optional<String> problem, int compared, int duplicates, int notKept) {
    Sent addedTo(Sent sent) {
      return new Sent(
          sent.compared() + compared, sent.duplicates() + duplicates, sent.notKept() + notKept);
    }
  }

  private Arrival arrival(Receipts receipts, Done job, String expected) {
    Optional<Receipts.Receipt> found = receipts.of(job.id());
    if (found.isEmpty()) {
      return receipts.full()
          ? new Arrival(Optional.empty(), 0, 0, 1)
          : new Arrival(Optional.of("nothing came"), 0, 0, 0);
    }
    outputs++;
    Receipts.Receipt receipt = found.get();
    Optional<String> problem = Optional.empty();
    if (!receipt.content().equals(expected)) {
      problem = Optional.of("asked for " + expected + "; what came is " + receipt.content());
    } else if (receipt.other() != null) {
      problem = Optional.of("asked for " + expected + "; what came later is " + receipt.other());
    } else if (receipt.count() > 1 && job.handedOutOnce()) {
      problem = Optional.of("came " + receipt.count() + " times, though it ran once");
    }
    return new Arrival(problem, 1, receipt.count() - 1, 0);
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
