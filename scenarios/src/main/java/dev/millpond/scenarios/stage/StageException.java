package dev.millpond.scenarios.stage;

/** The fleet did not do what a scenario needs before it can show anything. */
public final class StageException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public StageException(String message) {
    super(message);
  }
}
