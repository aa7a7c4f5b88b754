package dev.millpond.server.doctor;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What one check found.
 *
 * @param check names the check: {@code postgres.fsync}
 * @param level how bad it is
 * @param found what was found
 * @param why why it matters; null when all is well
 * @param remedy what to do, as a command to type where there is one; null when there is nothing to
 *     do
 */
public record Finding(
    String check, Level level, String found, @Nullable String why, @Nullable String remedy) {

  /** How bad it is, the worse the later. */
  public enum Level {
    OK,
    /** Worth knowing. */
    INFO,
    /** Costs speed, or may become an error. */
    WARNING,
    /** Costs durability, or jobs that do not run. */
    ERROR,
    /** PostgreSQL cannot be reached, so nothing more can be said. */
    UNREACHABLE;

    public String wireName() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public static Finding ok(String check, String found) {
    return new Finding(check, Level.OK, found, null, null);
  }

  public static Finding info(String check, String found, String why, @Nullable String remedy) {
    return new Finding(check, Level.INFO, found, why, remedy);
  }

  public static Finding warning(String check, String found, String why, String remedy) {
    return new Finding(check, Level.WARNING, found, why, remedy);
  }

  public static Finding error(String check, String found, String why, String remedy) {
    return new Finding(check, Level.ERROR, found, why, remedy);
  }

  public static Finding unreachable(String check, String found, String remedy) {
    return new Finding(check, Level.UNREACHABLE, found, "Nothing works without it", remedy);
  }

  /** How many findings are of a level. */
  public static long count(List<Finding> findings, Level level) {
    return findings.stream().filter(finding -> finding.level() == level).count();
  }

  /** Whether nothing is worse than a warning. */
  public static boolean clean(List<Finding> findings) {
    return findings.stream().allMatch(finding -> finding.level().compareTo(Level.WARNING) <= 0);
  }
}
