package dev.millpond.server.http;

import dev.millpond.server.http.problem.Problem;
import dev.millpond.server.http.problem.ProblemException;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Reads a JSON body whole, after its headers have been found in order. */
public final class RequestBody {
  /** Most bytes of a body. */
  public static final int MOST_BYTES = 16 * 1024 * 1024;

  /** Longest time for a body to arrive. */
  private static final Duration MOST_TIME = Duration.ofSeconds(60);

  /** A body up to this size is read at once. */
  private static final int SMALL_BYTES = 256 * 1024;

  /** Larger bodies may take this part of the heap together; each takes some five times its size. */
  private static final int ROOM_SHARE = 12;

  /** Longest wait for room. */
  private static final Duration ROOM_WAIT = Duration.ofSeconds(5);

  private static final String ROOM_ATTRIBUTE = RequestBody.class.getName() + ".room";
  private static final Semaphore ROOM = new Semaphore(roomKilobytes(), true);

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
    int most = declared < 0 ? MOST_BYTES + 1 : (int) declared;
    takeRoom(request, most);
    byte[] body = read(request.getInputStream(), most);
    if (body.length > MOST_BYTES) {
      throw tooLarge();
    }
    if (body.length < declared) {
      throw new IOException("The body ended early");
    }
    return body;
  }

  /** Gives back what a request's body held; at the end of the request. */
  static void release(HttpServletRequest request) {
    if (request.getAttribute(ROOM_ATTRIBUTE) instanceof Integer kilobytes) {
      ROOM.release(kilobytes);
    }
  }

  /** A large body waits for room before it is read, so that many of them fill no heap. */
  private static void takeRoom(HttpServletRequest request, int bytes) {
    if (bytes <= SMALL_BYTES) {
      return;
    }
    int kilobytes = bytes / 1024;
    boolean room;
    try {
      room = ROOM.tryAcquire(kilobytes, ROOM_WAIT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      room = false;
    }
    if (!room) {
      throw new ProblemException(
          Problem.of(503, "server-busy", "Too many large bodies are at work")
              .remedy("Try again after Retry-After, or send smaller batches")
              .retryAfter(ROOM_WAIT)
              .header("Connection", "close"));
    }
    request.setAttribute(ROOM_ATTRIBUTE, kilobytes);
  }

  private static int roomKilobytes() {
    long bytes = Math.max(2L * MOST_BYTES, Runtime.getRuntime().maxMemory() / ROOM_SHARE);
    return (int) Math.min(Integer.MAX_VALUE, bytes / 1024);
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
