package dev.millpond.api;

/** Thrown by a handler: the job can never succeed, do not try again. It becomes dead. */
public final class FatalJobException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public FatalJobException(String message) {
    super(message);
  }

  public FatalJobException(String message, Throwable cause) {
    super(message, cause);
  }
}
