package dev.millpond.engine.worker.forked;

import dev.millpond.api.HandlerModule;
import dev.millpond.api.HandlerOptions;
import dev.millpond.api.Handlers;
import dev.millpond.api.JobHandler;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The handlers that a module registers, in a child. Not thread-safe. */
final class ChildHandlers implements Handlers {
  private final Map<String, Entry<?>> entries = new HashMap<>();

  /** A kind's handler. */
  record Entry<P>(Class<P> payload, JobHandler<P> handler) {}

  /**
   * Makes a module and its handlers.
   *
   * @param name of a public class with a public constructor without parameters
   */
  static ChildHandlers of(String name) throws ReflectiveOperationException {
    Object module = Class.forName(name).getConstructor().newInstance();
    if (!(module instanceof HandlerModule handlers)) {
      throw new ClassNotFoundException(name + " is no HandlerModule");
    }
    ChildHandlers registered = new ChildHandlers();
    handlers.register(registered);
    return registered;
  }

  @Override
  public <P> Handlers registerHandler(
      String kind, Class<P> payload, JobHandler<P> handler, HandlerOptions options) {
    entries.put(kind, new Entry<>(payload, handler));
    return this;
  }

  @Nullable Entry<?> find(String kind) {
    return entries.get(kind);
  }
}
