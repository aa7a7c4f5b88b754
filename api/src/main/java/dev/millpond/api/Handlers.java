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

  /** The same with {@link HandlerOptions#DEFAULT}. */
  default <P> Handlers registerHandler(String kind, Class<P> payload, JobHandler<P> handler) {
    return registerHandler(kind, payload, handler, HandlerOptions.DEFAULT);
  }
}
