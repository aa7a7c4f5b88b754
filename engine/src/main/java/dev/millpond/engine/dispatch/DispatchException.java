package dev.millpond.engine.dispatch;

import org.jspecify.annotations.Nullable;

/** A way is blocked for now: its server does not answer. */
public final class DispatchException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public DispatchException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
