package dev.millpond.api;

/** Takes a worker's handlers, before it starts. */
public interface Handlers {
  /**
   * Registers the handler of a kind.
   *
   * @throws IllegalArgumentException when the kind is not a valid name or is taken
   */
  <P> Handlers registerHandler(
      String kind, Class<P> payload, JobHandler<P> handler, HandlerOptions options);

  /**
   * Registers all handlers of a module. Kinds that run forked need it: a child process makes the
   * module anew, by its public constructor without parameters, and registers its handlers there.
   *
   * @throws IllegalArgumentException as above, or when a kind is to run forked and cannot
   */
  default Handlers registerModule(HandlerModule module) {
    module.register(this);
    return this;
  }

  /** The same with {@link HandlerOptions#DEFAULT}. */
  default <P> Handlers registerHandler(String kind, Class<P> payload, JobHandler<P> handler) {
    return registerHandler(kind, payload, handler, HandlerOptions.DEFAULT);
  }
}
