package dev.millpond.engine.flow;

import dev.millpond.engine.flow.Pause.Scope;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** All limits of one version of the settings, by the names of queues and kinds; immutable. */
public record Limited(Map<String, Limit> queues, Map<String, Limit> kinds) {
  public static final Limited NONE = new Limited(Map.of(), Map.of());

  public Limited {
    queues = Map.copyOf(queues);
    kinds = Map.copyOf(kinds);
  }

  /** The limit of a queue or kind; null when it has none. */
  public @Nullable Limit of(Scope scope, String name) {
    return switch (scope) {
      case QUEUE -> queues.get(name);
      case KIND -> kinds.get(name);
      case TAG -> null;
    };
  }

  /** Whether there is none at all. */
  public boolean none() {
    return queues.isEmpty() && kinds.isEmpty();
  }

  /** Whether jobs of this queue and kind are limited. */
  public boolean holds(String queue, String kind) {
    return queues.containsKey(queue) || kinds.containsKey(kind);
  }
}
