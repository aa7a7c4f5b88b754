package dev.millpond.engine.worker;

import dev.millpond.api.HandlerOptions;
import dev.millpond.api.Handlers;
import dev.millpond.api.JobHandler;
import dev.millpond.engine.submit.JobRules;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The handlers of a process by kind. Thread-safe. */
public final class HandlerRegistry implements Handlers {
  private final Map<String, Registration<?>> registrations = new ConcurrentHashMap<>();

  /** A kind's handler. */
  record Registration<P>(Class<P> payload, JobHandler<P> handler, HandlerOptions options) {}

  @Override
  public <P> Handlers registerHandler(
      String kind, Class<P> payload, JobHandler<P> handler, HandlerOptions options) {
    if (!JobRules.isName(kind)) {
      throw new IllegalArgumentException(
          "kind \"" + kind + "\" is not a valid name: " + JobRules.NAME_RULE);
    }
    if (registrations.putIfAbsent(kind, new Registration<>(payload, handler, options)) != null) {
      throw new IllegalArgumentException("kind \"" + kind + "\" has a handler already");
    }
    return this;
  }

  @Nullable Registration<?> find(String kind) {
    return registrations.get(kind);
  }

  public Set<String> kinds() {
    return Set.copyOf(registrations.keySet());
  }
}
