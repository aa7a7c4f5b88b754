package dev.millpond.server.cli.remote;

/** What the user gave cannot be used: a payload that is no JSON, a file that cannot be read. */
public final class InputException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  InputException(String message) {
    super(message, null, false, false);
  }
}
