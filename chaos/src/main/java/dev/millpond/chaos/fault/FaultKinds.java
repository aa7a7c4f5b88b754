package dev.millpond.chaos.fault;

import dev.millpond.chaos.fleet.Wiring;
import dev.millpond.server.config.Role;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** All kinds of faults. */
public final class FaultKinds {
  private static final List<FaultKind> ALL = all();

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
    kinds.addAll(List.of(NetworkFaults.values()));
    kinds.addAll(List.of(CommandFaults.values()));
    return List.copyOf(kinds);
  }

  /** In the order in which they are listed, which is part of what a seed means. */
  public static List<FaultKind> list() {
    return ALL;
  }

  /** What these kinds need between members and servers. */
  public static Wiring.Maker wiring(List<FaultKind> kinds) {
    return Proxies.areNeeded(kinds) ? Proxies::new : Wiring::direct;
  }

  /** Those that are drawn when nobody asks for kinds. */
  public static List<FaultKind> usual() {
    return ALL.stream().filter(FaultKind::usual).toList();
  }

  /**
   * Those of these names and groups, in the order of the list.
   *
   * @throws IllegalArgumentException when one is neither
   */
  public static List<FaultKind> of(List<String> names) {
    Set<FaultKind> chosen = new LinkedHashSet<>();
    for (String name : names) {
      List<FaultKind> found =
          ALL.stream()
              .filter(kind -> kind.key().equals(name) || kind.group().equals(name))
              .toList();
      if (found.isEmpty()) {
        throw new IllegalArgumentException(
            "there is no kind or group of faults named "
                + name
                + "; they are "
                + String.join(", ", ALL.stream().map(FaultKind::key).toList()));
      }
      chosen.addAll(found);
    }
    return ALL.stream().filter(chosen::contains).toList();
  }
}
