package dev.millpond.server.http;

import dev.millpond.server.http.problem.Problem;
import dev.millpond.server.http.problem.ProblemException;
import java.time.Duration;
import java.util.concurrent.Semaphore;

/**
 * The part of the heap that large answers may take together while their clients read them: many
 * clients that read slowly fill no heap. A small one needs none. Thread-safe.
 */
final class AnswerRoom {
  /** Of this process. */
  static final AnswerRoom HERE = new AnswerRoom(Runtime.getRuntime().maxMemory() / 12);

  /** An answer up to this size needs no room. */
  static final int SMALL_BYTES = 256 * 1024;

  private static final Duration RETRY = Duration.ofSeconds(2);

  private final int kilobytes;
  private final Semaphore room;

  /**
   * @param most bytes of all; an answer that is larger takes them all
   */
  AnswerRoom(long most) {
    this.kilobytes = Math.clamp(most / 1024, 1, Integer.MAX_VALUE);
    this.room = new Semaphore(kilobytes);
  }

  /**
   * Takes room for an answer; nobody waits for it, as who waits holds an answer already.
   *
   * @return what to {@link #release} when it is written
   * @throws ProblemException 503 when there is none
   */
  int take(int bytes) {
    if (bytes <= SMALL_BYTES) {
      return 0;
    }
    int needed = Math.min(kilobytes, bytes / 1024);
    if (!room.tryAcquire(needed)) {
      throw new ProblemException(
          Problem.of(503, "server-busy", "Too many large answers are being read")
              .remedy("Try again after Retry-After, or ask for less with limit")
              .retryAfter(RETRY));
    }
    return needed;
  }

  void release(int taken) {
    room.release(taken);
  }
}
