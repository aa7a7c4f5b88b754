package dev.millpond.chaos.fleet;

import org.jspecify.annotations.Nullable;

/** The fleet is not as it has to be, and not because of a fault: the campaign cannot go on. */
public final class FleetException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public FleetException(String message) {
    this(message, null);
  }

  public FleetException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
