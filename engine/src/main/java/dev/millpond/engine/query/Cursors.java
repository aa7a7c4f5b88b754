package dev.millpond.engine.query;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Base64;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Positions in lists as the texts that callers hand back: the bytes of a position behind one byte
 * that names the list, in base64url. A cursor is bound to nothing but its position, so that it fits
 * any filter. Stateless.
 */
public final class Cursors {
  private static final byte JOB = 1;
  private static final byte DEAD_LETTER = 2;

  private static final Pattern LOG = Pattern.compile("(\\d{1,9})\\.(\\d{1,9})");

  /** What a dead letter's instant may be: what PostgreSQL can hold with room to spare. */
  private static final Instant LATEST = Instant.parse("9999-01-01T00:00:00Z");

  /** A dead letter: the list goes by instant, then by id. */
  public record DeadLetterPosition(Instant deadAt, UUID jobId) {}

  /** A log line: the list goes by run, then by line. */
  public record LogPosition(int leaseToken, int line) {}

  private Cursors() {}

  public static String of(UUID id) {
    byte[] bytes = new byte[1 + 16];
    ByteBuffer.wrap(bytes)
        .put(JOB)
        .putLong(id.getMostSignificantBits())
        .putLong(id.getLeastSignificantBits());
    return text(bytes);
  }

  public static String of(DeadLetterPosition position) {
    Instant at = position.deadAt();
    UUID id = position.jobId();
    byte[] bytes = new byte[1 + 24];
    ByteBuffer.wrap(bytes)
        .put(DEAD_LETTER)
        .putLong(at.getEpochSecond() * 1_000_000 + at.getNano() / 1_000)
        .putLong(id.getMostSignificantBits())
        .putLong(id.getLeastSignificantBits());
    return text(bytes);
  }

  /** A log's position is readable, so that one can ask for what comes after a known line. */
  public static String of(LogPosition position) {
    return position.leaseToken() + "." + position.line();
  }

  /**
   * Reads a position in the list of jobs.
   *
   * @throws InvalidCursorException when it is none
   */
  public static UUID job(String cursor) {
    ByteBuffer bytes = bytes(cursor, JOB, 16);
    return new UUID(bytes.getLong(), bytes.getLong());
  }

  /**
   * Reads a position in the list of dead letters.
   *
   * @throws InvalidCursorException when it is none
   */
  public static DeadLetterPosition deadLetter(String cursor) {
    ByteBuffer bytes = bytes(cursor, DEAD_LETTER, 24);
    long micros = bytes.getLong();
    Instant at =
        Instant.ofEpochSecond(
            Math.floorDiv(micros, 1_000_000L), Math.floorMod(micros, 1_000_000L) * 1_000L);
    if (at.isBefore(Instant.EPOCH) || at.isAfter(LATEST)) {
      throw invalid();
    }
    return new DeadLetterPosition(at, new UUID(bytes.getLong(), bytes.getLong()));
  }

  /**
   * Reads a position in a log.
   *
   * @throws InvalidFilterException when it is none
   */
  public static LogPosition log(String after) {
    Matcher matcher = LOG.matcher(after);
    if (!matcher.matches()) {
      throw new InvalidFilterException(
          "after", "must be a lease token and a line such as 1.17, is \"" + after + '"');
    }
    return new LogPosition(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)));
  }

  private static String text(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  private static ByteBuffer bytes(String cursor, byte list, int size) {
    byte[] bytes;
    try {
      bytes = Base64.getUrlDecoder().decode(cursor);
    } catch (IllegalArgumentException e) {
      throw invalid();
    }
    // The text of the same bytes may differ in padding and unused bits: one form is enough.
    if (bytes.length != 1 + size || bytes[0] != list || !cursor.equals(text(bytes))) {
      throw invalid();
    }
    return ByteBuffer.wrap(bytes, 1, size);
  }

  private static InvalidCursorException invalid() {
    return new InvalidCursorException("cursor is not one that this list has given");
  }
}
