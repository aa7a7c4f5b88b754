package dev.millpond.embedded;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a caller may choose about an embedded server.
 *
 * @param settings server settings by their own names (a PostgreSQL setting, a Redis directive), on
 *     top of this module's and stronger than them
 * @param stopAtExit whether the server is stopped when this JVM ends in order; {@code false} for a
 *     caller that has work to finish on the server during shutdown and closes it afterwards
 * @param programs an installed server to run: PostgreSQL's directory with {@code bin/postgres} and
 *     {@code bin/initdb}, or the one with {@code redis-server}; null for the one from the jars
 */
public record StartOptions(
    Map<String, String> settings, boolean stopAtExit, @Nullable Path programs) {
  public StartOptions {
    settings = Map.copyOf(settings);
  }

  /** No settings of the caller's; stopped at exit. */
  public static StartOptions defaults() {
    return new StartOptions(Map.of(), true, null);
  }

  public StartOptions withSetting(String name, String value) {
    Map<String, String> changed = new LinkedHashMap<>(settings);
    changed.put(name, value);
    return new StartOptions(changed, stopAtExit, programs);
  }

  public StartOptions withStopAtExit(boolean stop) {
    return new StartOptions(settings, stop, programs);
  }

  /** Runs an installed server instead of the one from the jars. */
  public StartOptions withPrograms(Path directory) {
    return new StartOptions(settings, stopAtExit, directory);
  }
}
