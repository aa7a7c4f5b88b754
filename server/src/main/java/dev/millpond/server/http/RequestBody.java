package dev.millpond.server.http;

import dev.millpond.server.http.problem.Problem;
import dev.millpond.server.http.problem.ProblemException;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Reads a JSON body whole, after its headers have been found in order. */
public final class RequestBody {
  /** Most bytes of a body. */
  public static final int MOST_BYTES = 16 * 1024 * 1024;

  /** Longest time for a body to arrive. */
  private static final Duration MOST_TIME = Duration.ofSeconds(60);

  private static final int FIRST_BUFFER_BYTES = 64 * 1024;
  private static final String JSON = "application/json";

  private RequestBody() {}

  /**
   * Reads the body.
   *
   * @throws ProblemException 415 for another type or an encoding, 413 for too much of it; a
   *     declared length is checked before the first byte is read
   */
  public static byte[] read(HttpServletRequest request) throws IOException {
    checkType(request.getContentType());
    String encoding = request.getHeader("Content-Encoding");
    if (encoding != null && !encoding.equalsIgnoreCase("identity")) {
      throw new ProblemException(
          Problem.of(415, "unsupported-encoding", "Content-Encoding " + encoding + " is not taken")
              .remedy("Send the body uncompressed"));
    }
    long declared = request.getContentLengthLong();
    if (declared > MOST_BYTES) {
      throw tooLarge();
    }
    byte[] body = read(request.getInputStream(), declared < 0 ? MOST_BYTES + 1 : (int) declared);
    if (body.length > MOST_BYTES) {
      throw tooLarge();
    }
    if (body.length < declared) {
      throw new IOException("The body ended early");
    }
    return body;
  }

  /** Reads up to a number of bytes; a sender who trickles is cut off. */
  private static byte[] read(InputStream in, int most) throws IOException {
    long start = System.nanoTime();
    byte[] buffer = new byte[Math.min(most, FIRST_BUFFER_BYTES)];
    int length = 0;
    while (length < most) {
      if (length == buffer.length) {
        buffer = Arrays.copyOf(buffer, (int) Math.min(most, 2L * buffer.length));
      }
      int got = in.read(buffer, length, buffer.length - length);
      if (got < 0) {
        break;
      }
      length += got;
      if (System.nanoTime() - start > MOST_TIME.toNanos()) {
        throw new ProblemException(
            Problem.of(408, "request-timeout", "The body took longer than " + MOST_TIME)
                .header("Connection", "close"));
      }
    }
    return length == buffer.length ? buffer : Arrays.copyOf(buffer, length);
  }

  /** Refuses a body where none is expected. */
  public static void none(HttpServletRequest request) {
    if (request.getContentLengthLong() > 0 || request.getHeader("Transfer-Encoding") != null) {
      throw new ProblemException(
          Problem.of(400, "unexpected-body", "This request takes no body")
              .header("Connection", "close"));
    }
  }

  private static void checkType(@Nullable String type) {
    if (JSON.equals(type)) {
      return;
    }
    String[] parts =
        (type == null ? "" : type).toLowerCase(Locale.ROOT).replace("\"", "").split(";", -1);
    boolean json = parts[0].strip().equals(JSON);
    for (int i = 1; i < parts.length; i++) {
      String parameter = parts[i].strip();
      json &= !parameter.startsWith("charset=") || parameter.equals("charset=utf-8");
    }
    if (!json) {
      throw new ProblemException(
          Problem.of(
                  415,
                  "unsupported-media-type",
                  type == null
                      ? "Content-Type is missing"
                      : "Content-Type " + type + " is not taken")
              .remedy("Send application/json in UTF-8"));
    }
  }

  private static ProblemException tooLarge() {
    return new ProblemException(
        Problem.of(413, "body-too-large", "A body may have " + MOST_BYTES + " bytes")
            .remedy("Send smaller batches")
            .header("Connection", "close"));
  }
}
