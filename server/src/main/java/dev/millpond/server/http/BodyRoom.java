package dev.millpond.server.http;

import dev.millpond.server.config.BodyLimits;
import dev.millpond.server.http.problem.Problem;
import dev.millpond.server.http.problem.ProblemException;
import jakarta.servlet.http.HttpServletRequest;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * The part of the heap that large bodies may take together. A large body waits for room before it
 * is read, so that many of them fill no heap; a small one needs none. Thread-safe.
 */
final class BodyRoom {
  /** A body up to this size is read at once. */
  static final int SMALL_BYTES = 256 * 1024;

  /** The part of the heap; each body takes some five times its size. */
  private static final int SHARE = 12;

  /** Longest wait for room. */
  private static final Duration WAIT = Duration.ofSeconds(5);

  private static final String ATTRIBUTE = BodyRoom.class.getName();

  private final int kilobytes;
  private final Semaphore room;

  BodyRoom(BodyLimits limits) {
    long bytes = Math.max(2L * limits.json(), Runtime.getRuntime().maxMemory() / SHARE);
    this.kilobytes = (int) Math.min(Integer.MAX_VALUE, bytes / 1024);
    this.room = new Semaphore(kilobytes, true);
  }

  /** The largest body that there can be room for. */
  long most() {
    return 1024L * kilobytes;
  }

  /**
   * Waits for room, unless the request has some or the body is small.
   *
   * @throws ProblemException 503 when there is none in time
   */
  void take(HttpServletRequest request, long bytes) {
    if (bytes <= SMALL_BYTES || request.getAttribute(ATTRIBUTE) != null) {
      return;
    }
    int needed = (int) Math.min(kilobytes, bytes / 1024);
    boolean taken;
    try {
      taken = room.tryAcquire(needed, WAIT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      taken = false;
    }
    if (!taken) {
      throw new ProblemException(
          Problem.of(503, "server-busy", "Too many large bodies are at work")
              .remedy("Try again after Retry-After, or send smaller batches")
              .retryAfter(WAIT)
              .header("Connection", "close"));
    }
    request.setAttribute(ATTRIBUTE, needed);
  }

  /** Gives back what a request holds, if anything. */
  void release(HttpServletRequest request) {
    if (request.getAttribute(ATTRIBUTE) instanceof Integer taken) {
      request.removeAttribute(ATTRIBUTE);
      room.release(taken);
    }
  }
}
