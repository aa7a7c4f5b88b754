package dev.millpond.chaos.journal;

import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A request of a client, and what it was told.
 *
 * @param first number of its first job; the others follow
 * @param count its jobs, at least one
 * @param key its idempotency key; null for none
 * @param valid whether it is one that the API should take
 * @param askedMillis when it was first sent, by the clock of the records
 * @param answer what came of it
 * @param answeredMillis when that was known; 0 while it is unknown
 * @param ids of its jobs, in their order; empty unless it was taken
 */
public record Asked(
    long first,
    int count,
    @Nullable String key,
    boolean valid,
    long askedMillis,
    Answer answer,
    long answeredMillis,
    List<UUID> ids) {

  /** What a client knows about its request. */
  public enum Answer {
    /** It was acknowledged: its jobs are there, and must end. */
    OK,
    /** It was refused, or never sent: none of its jobs may be there. */
    REFUSED,
    /** No answer, or one in doubt: all of its jobs are there, or none. */
    UNKNOWN
  }

  public Asked {
    ids = List.copyOf(ids);
  }

  /** One that was sent just now. */
  public static Asked sent(long first, int count, @Nullable String key, boolean valid, long now) {
    return new Asked(first, count, key, valid, now, Answer.UNKNOWN, 0, List.of());
  }

  /** The same with its answer. */
  public Asked answered(Answer newAnswer, long now, List<UUID> newIds) {
    return new Asked(first, count, key, valid, askedMillis, newAnswer, now, newIds);
  }

  /** The line that is in the journal before it is sent. */
  String sentLine() {
    return "sent %d %d %s %b %d"
        .formatted(first, count, Objects.requireNonNullElse(key, "-"), valid, askedMillis);
  }

  /** The line that follows. */
  String answerLine() {
    StringBuilder line = new StringBuilder();
    line.append(answer.name().toLowerCase(Locale.ROOT));
    line.append(' ').append(first).append(' ').append(answeredMillis);
    ids.forEach(id -> line.append(' ').append(id));
    return line.toString();
  }
}
