package dev.millpond.engine.flow;

import dev.millpond.engine.flow.Pause.Scope;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** All pauses of one version of the settings; immutable. */
public final class Pauses {
  public static final Pauses NONE = new Pauses(List.of());

  private final List<Pause> all;
  private final Map<String, Pause> queues = new HashMap<>();
  private final Map<String, Pause> kinds = new HashMap<>();
  private final Map<String, Pause> tags = new HashMap<>();

  public Pauses(Collection<Pause> pauses) {
    List<Pause> sorted = new ArrayList<>(pauses);
    sorted.sort(Comparator.comparing(Pause::scope).thenComparing(Pause::name));
    all = List.copyOf(sorted);
    all.forEach(pause -> map(pause.scope()).put(pause.name(), pause));
  }

  private Map<String, Pause> map(Scope scope) {
    return switch (scope) {
      case QUEUE -> queues;
      case KIND -> kinds;
      case TAG -> tags;
    };
  }

  /** By scope and name. */
  public List<Pause> all() {
    return all;
  }

  /** The pause of this; null when it is not paused. */
  public @Nullable Pause of(Scope scope, String name) {
    return map(scope).get(name);
  }

  Set<String> names(Scope scope) {
    return map(scope).keySet();
  }

  /** Whether jobs of a queue and kind are paused, whatever their tags. */
  public boolean holds(String queue, String kind) {
    return queues.containsKey(queue) || kinds.containsKey(kind);
  }

  /** Whether any tag is paused. */
  public boolean byTag() {
    return !tags.isEmpty();
  }

  /** The first of a job's tags that is paused; null for none. */
  public @Nullable String tag(List<String> ofJob) {
    if (tags.isEmpty()) {
      return null;
    }
    for (String tag : ofJob) {
      if (tags.containsKey(tag)) {
        return tag;
      }
    }
    return null;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Pauses pauses && all.equals(pauses.all);
  }

  @Override
  public int hashCode() {
    return all.hashCode();
  }

  @Override
  public String toString() {
    return all.toString();
  }
}
