package dev.millpond.engine.query;

import java.util.List;

/** Health of a process by component. */
public record Health(List<Component> components) {

  /**
   * One component.
   *
   * @param name {@code threads}, {@code postgres}, {@code redis.<shard>}, {@code worker} or {@code
   *     maintenance}
   * @param up whether it works now
   * @param needed whether the process is of no use without it; Redis is not
   */
  public record Component(String name, boolean up, boolean needed, String detail) {}

  public Health {
    components = List.copyOf(components);
  }

  /** Whether everything needed works. */
  public boolean ready() {
    return components.stream().allMatch(c -> c.up() || !c.needed());
  }
}
