package dev.millpond.server.demo;

import org.jspecify.annotations.Nullable;

/** The demo cannot go on. The message is for the person who started it. */
final class DemoException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  DemoException(String message) {
    super(message);
  }

  DemoException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
