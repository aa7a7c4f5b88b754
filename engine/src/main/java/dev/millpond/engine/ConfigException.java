package dev.millpond.engine;

/** A configuration value that cannot be used. Says the key, the value and what is allowed. */
public final class ConfigException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public ConfigException(String key, Object value, String allowed) {
    super(key + " is \"" + masked(value.toString()) + "\"; allowed: " + allowed);
  }

  /** Without passwords: {@code password=…} in a JDBC URL, {@code user:…@host} in a Redis one. */
  private static String masked(String value) {
    return value
        .replaceAll("(?i)(password=)[^&]*", "$1***")
        .replaceAll("(://[^:/@]*:)[^@/]*@", "$1***@");
  }
}
