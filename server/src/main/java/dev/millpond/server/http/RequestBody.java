package dev.millpond.server.http;

import dev.millpond.server.config.BodyLimits;
import dev.millpond.server.http.problem.Problem;
import dev.millpond.server.http.problem.ProblemException;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Reads the bodies of requests, after their headers have been found in order. Thread-safe. */
public final class RequestBody {
  private static final int FIRST_BUFFER_BYTES = 64 * 1024;

  /** What a body may be. */
  public enum Type {
    JSON("application/json"),
    /** One JSON value a line. */
    NDJSON("application/x-ndjson");

    private final String mediaType;

    Type(String mediaType) {
      this.mediaType = mediaType;
    }

    public String mediaType() {
      return mediaType;
    }
  }

  /** For a small body. */
  private static final Duration SMALL_TIME = Duration.ofSeconds(5);

  private final BodyLimits limits;
  private final BodyRoom room;

  RequestBody(BodyLimits limits, BodyRoom room) {
    this.limits = limits;
    this.room = room;
  }

  /**
   * Reads a JSON body whole.
   *
   * @throws ProblemException as {@link #type}, and 413 for too much of it
   */
  public byte[] json(HttpServletRequest request) throws IOException {
    type(request, Type.JSON);
    long declared = declared(request, limits.json());
    int most = declared < 0 ? limits.json() + 1 : (int) declared;
    byte[] start = declared < 0 ? startOf(request.getInputStream()) : null;
    if (start == null || start.length == BodyRoom.SMALL_BYTES) {
      room.take(request, most);
    }
    byte[] body = start == null ? read(request.getInputStream(), new byte[0], most) : start;
    if (start != null && start.length == BodyRoom.SMALL_BYTES) {
      body = read(request.getInputStream(), start, most);
    }
    if (body.length > limits.json()) {
      throw tooLarge(limits.json());
    }
    if (body.length < declared) {
      throw new IOException("The body ended early");
    }
    return body;
  }

  /**
   * Reads a small JSON body of a caller who is not known yet: it takes no room that others need,
   * and is cut off soon when it trickles.
   *
   * @throws ProblemException as {@link #json}
   */
  public byte[] small(HttpServletRequest request, int most) throws IOException {
    type(request, Type.JSON);
    declared(request, most);
    byte[] body = read(request.getInputStream(), new byte[0], most + 1, SMALL_TIME);
    if (body.length > most) {
      throw tooLarge(most);
    }
    return body;
  }

  /**
   * The lines of a body that is committed at once.
   *
   * @throws ProblemException 413 for a declared length over the limit, 503 when there is no room
   */
  public BodyLines lines(HttpServletRequest request) throws IOException {
    long most = Math.min(limits.ndjson(), room.most());
    long declared = declared(request, most);
    return new BodyLines(request, room, limits, most, declared < 0 ? most : declared);
  }

  /**
   * The lines of a body that is committed in chunks: {@link BodyLines#newChunk} begins the next.
   *
   * @throws ProblemException 413 for a declared length over the limit
   */
  public BodyLines chunkedLines(HttpServletRequest request) throws IOException {
    declared(request, limits.ndjson());
    return new BodyLines(request, room, limits, limits.ndjson(), limits.json());
  }

  /**
   * The type of a body that can be read.
   *
   * @param taken types of which it has to be one
   * @throws ProblemException 415 for another type or an encoding
   */
  public static Type type(HttpServletRequest request, Type... taken) {
    // Not getContentType(): Jetty throws there for a charset that it does not know.
    String given = request.getHeader("Content-Type");
    Type type = parse(given);
    if (type == null || !List.of(taken).contains(type)) {
      throw new ProblemException(
          Problem.of(
                  415,
                  "unsupported-media-type",
                  given == null
                      ? "Content-Type is missing"
                      : "Content-Type " + given + " is not taken")
              .remedy(
                  "Send "
                      + String.join(" or ", Arrays.stream(taken).map(Type::mediaType).toList())
                      + " in UTF-8"));
    }
    String encoding = request.getHeader("Content-Encoding");
    if (encoding != null && !encoding.equalsIgnoreCase("identity")) {
      throw new ProblemException(
          Problem.of(415, "unsupported-encoding", "Content-Encoding " + encoding + " is not taken")
              .remedy("Send the body uncompressed"));
    }
    return type;
  }

  private static @Nullable Type parse(@Nullable String given) {
    if (given == null) {
      return null;
    }
    for (Type type : Type.values()) {
      if (type.mediaType().equals(given)) {
        return type; // as nearly all give it
      }
    }
    String[] parts = given.toLowerCase(Locale.ROOT).replace("\"", "").split(";", -1);
    for (int i = 1; i < parts.length; i++) {
      String parameter = parts[i].strip();
      if (parameter.startsWith("charset=") && !parameter.equals("charset=utf-8")) {
        return null;
      }
    }
    for (Type type : Type.values()) {
      if (parts[0].strip().equals(type.mediaType())) {
        return type;
      }
    }
    return null;
  }

  private static long declared(HttpServletRequest request, long most) {
    long declared = request.getContentLengthLong();
    if (declared > most) {
      throw tooLarge(most);
    }
    return declared;
  }

  /** What comes first of a body whose length is not known; less than asked for when it ends. */
  private byte[] startOf(InputStream in) throws IOException {
    return read(in, new byte[0], BodyRoom.SMALL_BYTES);
  }

  /** Reads on after a start, up to a number of bytes; a sender who trickles is cut off. */
  private byte[] read(InputStream in, byte[] start, int most) throws IOException {
    return read(in, start, most, limits.bodyTime());
  }

  private static byte[] read(InputStream in, byte[] start, int most, Duration time)
      throws IOException {
    long began = System.nanoTime();
    byte[] buffer = Arrays.copyOf(start, Math.min(most, start.length + FIRST_BUFFER_BYTES));
    int length = start.length;
    while (length < most) {
      if (length == buffer.length) {
        buffer = Arrays.copyOf(buffer, (int) Math.min(most, 2L * buffer.length));
      }
      int got = in.read(buffer, length, buffer.length - length);
      if (got < 0) {
        break;
      }
      length += got;
      if (System.nanoTime() - began > time.toNanos()) {
        throw tooSlow(time);
      }
    }
    return length == buffer.length ? buffer : Arrays.copyOf(buffer, length);
  }

  /** Refuses a body where none is expected. */
  public static void none(HttpServletRequest request) {
    if (request.getContentLengthLong() > 0 || request.getHeader("Transfer-Encoding") != null) {
      throw new ProblemException(
          Problem.of(400, "unexpected-body", "This request takes no body")
              .remedy("Send it without a body")
              .header("Connection", "close"));
    }
  }

  static ProblemException tooSlow(Duration most) {
    return new ProblemException(
        Problem.of(408, "request-timeout", "The body took longer than " + most)
            .remedy("Send smaller batches")
            .header("Connection", "close"));
  }

  static ProblemException tooLarge(long most) {
    return new ProblemException(
        Problem.of(413, "body-too-large", "A body may have " + most + " bytes here")
            .remedy("Send smaller batches")
            .header("Connection", "close"));
  }
}
