package dev.millpond.api;

import org.jspecify.annotations.Nullable;

/** PostgreSQL could not be reached in time. */
public final class UnavailableException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final boolean inDoubt;

  /**
   * @param inDoubt whether the submission may have been committed all the same
   */
  public UnavailableException(String message, boolean inDoubt, @Nullable Throwable cause) {
    super(message, cause);
    this.inDoubt = inDoubt;
  }

  /** Whether the submission may have been committed all the same. */
  public boolean inDoubt() {
    return inDoubt;
  }
}
