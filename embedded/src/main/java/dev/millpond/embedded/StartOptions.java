package dev.millpond.embedded;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a caller may choose about an embedded server.
 *
 * @param settings server settings by their own names (a PostgreSQL setting, a Redis directive), on
 *     top of this module's and stronger than them
 * @param stopAtExit whether the server is stopped when this JVM ends in order; {@code false} for a
 *     caller that has work to finish on the server during shutdown and closes it afterwards
 */
public record StartOptions(Map<String, String> settings, boolean stopAtExit) {
  public StartOptions {
    settings = Map.copyOf(settings);
  }

  /** No settings of the caller's; stopped at exit. */
  public static StartOptions defaults() {
    return new StartOptions(Map.of(), true);
  }

  public StartOptions withSetting(String name, String value) {
    Map<String, String> changed = new LinkedHashMap<>(settings);
    changed.put(name, value);
    return new StartOptions(changed, stopAtExit);
  }

  public StartOptions withStopAtExit(boolean stop) {
    return new StartOptions(settings, stop);
  }
}
