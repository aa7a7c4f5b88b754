package dev.millpond.embedded;

import org.jspecify.annotations.Nullable;

/**
 * An embedded server that could not be started, stopped or asked. The message says what was tried
 * and the remedy.
 */
public final class EmbeddedServerException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  EmbeddedServerException(String message) {
    super(message);
  }

  EmbeddedServerException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
