package dev.millpond.server.doctor;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one check found.
 *
 * @param check names the check: {@code postgres.fsync}
 * @param status how it went
 * @param detail what was found
 * @param remedy what to do; null when all is well
 */
public record Finding(String check, Status status, String detail, @Nullable String remedy) {

  /** How a check went. */
  public enum Status {
    OK,
    /** Something is wrong. */
    FINDING,
    /** PostgreSQL cannot be reached, so nothing more can be said. */
    UNREACHABLE
  }

  public static Finding ok(String check, String detail) {
    return new Finding(check, Status.OK, detail, null);
  }

  public static Finding wrong(String check, String detail, String remedy) {
    return new Finding(check, Status.FINDING, detail, remedy);
  }

  public static Finding unreachable(String check, String detail, String remedy) {
    return new Finding(check, Status.UNREACHABLE, detail, remedy);
  }

  public static boolean clean(List<Finding> findings) {
    return findings.stream().allMatch(finding -> finding.status() == Status.OK);
  }
}
