package dev.millpond.api;

/** The attempt has lost its job to another one; nothing it does counts any more. */
public final class LeaseLostException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public LeaseLostException(String message) {
    super(message);
  }
}
