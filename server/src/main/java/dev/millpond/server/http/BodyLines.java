package dev.millpond.server.http;

import dev.millpond.server.config.BodyLimits;
import dev.millpond.server.http.problem.Problem;
import dev.millpond.server.http.problem.ProblemException;
import jakarta.servlet.http.HttpServletRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/**
 * The lines of a body as they arrive, without their ends; blank ones are passed over. What is read
 * and not yet let go by {@link #newChunk} is bounded in bytes and in time. Not thread-safe.
 */
public final class BodyLines {
  private static final int BUFFER_BYTES = 16 * 1024;

  private final HttpServletRequest request;
  private final BodyRoom room;
  private final InputStream in;
  private final long most;
  private final long chunkMost;
  private final BodyLimits limits;
  private final byte[] buffer = new byte[BUFFER_BYTES];
  private int at;
  private int end;
  private long total;
  private long chunk;
  private long chunkBegan = System.nanoTime();
  private int number;

  /**
   * @param limits of one line and of the time for what is held at once
   * @param most bytes of the body
   * @param chunkMost bytes of what is held at once
   */
  BodyLines(HttpServletRequest request, BodyRoom room, BodyLimits limits, long most, long chunkMost)
      throws IOException {
    this.request = request;
    this.room = room;
    this.in = request.getInputStream();
    this.most = most;
    this.chunkMost = chunkMost;
    this.limits = limits;
  }

  /**
   * The next line that is not blank; null at the end of the body.
   *
   * @throws ProblemException 413 when a limit is passed, 408 when it comes too slowly, 503 when
   *     there is no room for it
   */
  public byte @Nullable [] next() throws IOException {
    while (true) {
      byte[] line = line();
      if (line == null || !blank(line)) {
        return line;
      }
    }
  }

  /** The number of the line that was read last, the first one is 1. */
  public int number() {
    return number;
  }

  /** Lets go of what has been read so far. */
  public void newChunk() {
    room.release(request);
    chunk = 0;
    chunkBegan = System.nanoTime();
  }

  /**
   * Reads what is left of a body whose length was declared, and forgets it: a caller who sends all
   * of it before it reads would lose the answer with the connection. Without a declared length the
   * caller may wait for the answer before it ends the body.
   */
  public void passOver() {
    room.release(request);
    long declared = request.getContentLengthLong();
    try {
      while (total < declared && inTime()) {
        int got = in.read(buffer, 0, buffer.length);
        if (got < 0) {
          return;
        }
        total += got;
      }
    } catch (IOException e) {
      // The caller is gone; the answer will find that out.
    }
  }

  private boolean inTime() {
    return System.nanoTime() - chunkBegan <= limits.bodyTime().toNanos();
  }

  private byte @Nullable [] line() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream(256);
    boolean any = false;
    while (at < end || fill()) {
      if (!any) {
        any = true;
        number++;
      }
      int start = at;
      while (at < end && buffer[at] != '\n') {
        at++;
      }
      line.write(buffer, start, at - start);
      if (line.size() > limits.json()) {
        throw limit("A line may have " + limits.json() + " bytes", "Send smaller payloads");
      }
      if (at < end) {
        at++;
        return line.toByteArray();
      }
    }
    return any ? line.toByteArray() : null;
  }

  private boolean fill() throws IOException {
    int got = in.read(buffer, 0, buffer.length);
    if (got < 0) {
      return false;
    }
    at = 0;
    end = got;
    total += got;
    chunk += got;
    if (total > most) {
      throw RequestBody.tooLarge(most);
    }
    if (chunk > chunkMost) {
      throw limit(
          "What is committed at once may have " + chunkMost + " bytes",
          "Give a smaller commitEvery");
    }
    if (chunk > BodyRoom.SMALL_BYTES) {
      room.take(request, chunkMost);
    }
    if (!inTime()) {
      throw RequestBody.tooSlow(limits.bodyTime());
    }
    return true;
  }

  private static boolean blank(byte[] line) {
    for (byte b : line) {
      if (b != ' ' && b != '\t' && b != '\r') {
        return false;
      }
    }
    return true;
  }

  private static ProblemException limit(String detail, String remedy) {
    return new ProblemException(
        Problem.of(413, "body-too-large", detail).remedy(remedy).header("Connection", "close"));
  }
}
