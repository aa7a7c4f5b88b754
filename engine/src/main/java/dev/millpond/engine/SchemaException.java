package dev.millpond.engine;

import org.jspecify.annotations.Nullable;

/** The database's schema is missing, older or newer than this version needs. Says what to do. */
public final class SchemaException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public SchemaException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
