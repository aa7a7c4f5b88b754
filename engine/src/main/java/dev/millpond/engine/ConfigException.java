package dev.millpond.engine;

/** A configuration value that cannot be used. Says the key, the value and what is allowed. */
public final class ConfigException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public ConfigException(String key, Object value, String allowed) {
    super(key + " is \"" + value + "\"; allowed: " + allowed);
  }
}
