package dev.millpond.chaos.fleet;

import dev.millpond.server.config.Role;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What to start.
 *
 * @param data absolute, an existing directory; all files are below it
 * @param size how many processes
 * @param timing leases and beats: default or fast
 * @param slots jobs that a worker runs at once
 * @param settings system properties of all processes, such as where handlers keep their ledger
 * @param handlers jar that workers load
 * @param equipment what the faults need
 */
public record FleetPlan(
    Path data,
    Size size,
    String timing,
    int slots,
    Map<String, String> settings,
    Path handlers,
    Set<Equipment> equipment) {

  public FleetPlan {
    settings = Map.copyOf(settings);
    equipment = Set.copyOf(equipment);
  }

  /** Processes by role; at least one of each. */
  public record Size(int apis, int workers, int maintenance) {
    /** As the issue asks for it. */
    public static final Size FULL = new Size(2, 4, 2);

    private static final int MOST = 32;
    private static final Pattern TEXT = Pattern.compile("(\\d{1,2}),(\\d{1,2}),(\\d{1,2})");

    public Size {
      for (int count : new int[] {apis, workers, maintenance}) {
        if (count < 1 || count > MOST) {
          throw new IllegalArgumentException(
              "a fleet has 1 to " + MOST + " processes of each role, not " + count);
        }
      }
    }

    /**
     * Reads {@code apis,workers,maintenance}.
     *
     * @throws IllegalArgumentException when it is not of this form
     */
    public static Size parse(String text) {
      Matcher matcher = TEXT.matcher(text);
      if (!matcher.matches()) {
        throw new IllegalArgumentException("expected three numbers as in 2,4,2, not " + text);
      }
      return new Size(
          Integer.parseInt(matcher.group(1)),
          Integer.parseInt(matcher.group(2)),
          Integer.parseInt(matcher.group(3)));
    }

    public int of(Role role) {
      return switch (role) {
        case API -> apis;
        case WORKER -> workers;
        case MAINTENANCE -> maintenance;
      };
    }

    /** The members' names, such as {@code worker-1}. */
    public List<String> names(Role role) {
      List<String> names = new ArrayList<>();
      for (int i = 1; i <= of(role); i++) {
        names.add(role.wireName() + "-" + i);
      }
      return names;
    }

    @Override
    public String toString() {
      return apis + "," + workers + "," + maintenance;
    }
  }
}
