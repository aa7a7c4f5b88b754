package dev.millpond.engine.lifecycle.store;

import java.util.UUID;

/** The time in a UUIDv7: its high 48 bits are milliseconds since 1970. Stateless. */
public final class IdTime {
  private IdTime() {}

  /** When an id was made, in milliseconds since 1970. */
  public static long millis(UUID id) {
    return id.getMostSignificantBits() >>> 16;
  }

  /** The lowest id of a moment; of 1970 for one before. */
  public static UUID lowest(long millis) {
    return new UUID(Math.max(0, millis) << 16, 0);
  }
}
