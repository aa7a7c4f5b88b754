package dev.millpond.engine.dispatch.streams;

import java.util.List;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.exceptions.JedisDataException;

/** What error answers of a server mean. */
enum Answers {
  /** About one command: no group, a value of another type. The server is in order. */
  ORDINARY,
  /** It takes nothing new, but gives out and forgets what it has: its memory is full. */
  NO_WRITES,
  /** The node that was asked is not, or no longer, the one that has the stream. */
  MOVED,
  /**
   * It is of no use for now: it loads its data, is a replica, cannot write its disk, is busy, lets
   * nobody in.
   */
  OF_NO_USE;

  private static final List<String> FULL = List.of("OOM ");

  private static final List<String> REDIRECTED = List.of("MOVED ", "ASK ");

  private static final List<String> USELESS =
      List.of(
          "LOADING ",
          "READONLY ",
          "MISCONF ",
          "BUSY ",
          "CLUSTERDOWN ",
          "TRYAGAIN ",
          "MASTERDOWN ",
          "NOREPLICAS ",
          "NOAUTH ",
          "WRONGPASS ",
          "NOPERM ",
          "ERR max number of clients ");

  static Answers of(JedisDataException answer) {
    String message = String.valueOf(answer.getMessage());
    if (begins(message, FULL)) {
      return NO_WRITES;
    }
    if (begins(message, REDIRECTED)) {
      return MOVED;
    }
    return begins(message, USELESS) ? OF_NO_USE : ORDINARY;
  }

  /** Whether there is a key of another type where a stream should be. */
  static boolean isForeign(JedisDataException answer) {
    return String.valueOf(answer.getMessage()).startsWith("WRONGTYPE");
  }

  /**
   * Whether a command was surely not executed. Other errors may be those of something in between,
   * which does not know.
   */
  static boolean isSureRefusal(JedisDataException answer) {
    return of(answer) != ORDINARY || isForeign(answer);
  }

  private static boolean begins(String message, List<String> with) {
    return with.stream().anyMatch(message::startsWith);
  }

  /** The worse one of two errors of a pipeline; null when both are null. */
  static @Nullable JedisDataException worse(
      @Nullable JedisDataException one, @Nullable JedisDataException other) {
    if (one == null || other == null) {
      return one == null ? other : one;
    }
    return of(one).compareTo(of(other)) >= 0 ? one : other;
  }
}
