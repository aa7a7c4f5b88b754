package dev.millpond.api;

/** Thrown by {@link JobContext#checkStop()}: the attempt was asked to stop. */
public final class AttemptStoppedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public AttemptStoppedException(String message) {
    super(message);
  }
}
