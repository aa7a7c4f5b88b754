package dev.millpond.chaos.fault;

import dev.millpond.chaos.fleet.Equipment;
import dev.millpond.chaos.fleet.Wiring;
import dev.millpond.server.config.Role;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** All kinds of faults. */
public final class FaultKinds {
  private static final List<FaultKind> ALL = all();
  private static final String USUAL = "usual";

  private FaultKinds() {}

  private static List<FaultKind> all() {
    List<FaultKind> kinds = new ArrayList<>();
    for (Role role : Role.values()) {
      for (ProcessFaults.Blow blow : ProcessFaults.Blow.values()) {
        kinds.add(new ProcessFaults(role, blow));
      }
    }
    kinds.addAll(List.of(RedisFaults.values()));
    kinds.addAll(List.of(PostgresFaults.values()));
    kinds.addAll(List.of(DiskFaults.values()));
    kinds.addAll(List.of(ClockFaults.values()));
    kinds.addAll(List.of(NetworkFaults.values()));
    kinds.addAll(List.of(CommandFaults.values()));
    return List.copyOf(kinds);
  }

  /** In the order in which they are listed, which is part of what a seed means. */
  public static List<FaultKind> list() {
    return ALL;
  }

  /** What these kinds need. */
  public static Set<Equipment> needs(List<FaultKind> kinds) {
    return kinds.stream()
        .flatMap(kind -> kind.needs().stream())
        .collect(Collectors.toUnmodifiableSet());
  }

  /** What stands between members and servers with this equipment. */
  public static Wiring.Maker wiring(Set<Equipment> equipment) {
    return equipment.contains(Equipment.PROXIES) ? Proxies::new : Wiring::direct;
  }

  /** Those that are drawn when nobody asks for kinds. */
  public static List<FaultKind> usual() {
    return ALL.stream().filter(FaultKind::usual).toList();
  }

  /**
   * Those of these names and groups, in the order of the list; the group {@code usual} is of those
   * that are drawn when nobody asks for kinds.
   *
   * @throws IllegalArgumentException when one is neither, or cannot be done on this machine
   */
  public static List<FaultKind> of(List<String> names) {
    Set<FaultKind> chosen = new LinkedHashSet<>();
    for (String name : names) {
      List<FaultKind> found = ALL.stream().filter(kind -> isNamed(kind, name)).toList();
      if (found.isEmpty()) {
        throw new IllegalArgumentException(
            "there is no kind or group of faults named "
                + name
                + "; they are "
                + String.join(", ", ALL.stream().map(FaultKind::key).toList()));
      }
      chosen.addAll(found);
    }
    for (FaultKind kind : chosen) {
      kind.missing()
          .ifPresent(why -> {
            throw new IllegalArgumentException(
                "faults of the kind " + kind.key() + " cannot be had here: " + why);
          });
    }
    return ALL.stream().filter(chosen::contains).toList();
  }

  private static boolean isNamed(FaultKind kind, String name) {
    return kind.key().equals(name)
        || kind.group().equals(name)
        || (name.equals(USUAL) && kind.usual());
  }
}
