package dev.millpond.api;

/**
 * Brings a jar's handlers to a worker started with {@code --handlers my.jar}. Found by {@link
 * java.util.ServiceLoader}: name the class in {@code
 * META-INF/services/dev.millpond.api.HandlerModule}. In an application's own process it is given to
 * {@link Handlers#registerModule}.
 *
 * <p>A child process that runs jobs forked makes one of its own, so {@code register} only makes
 * handlers: what they need is opened by their first run.
 */
public interface HandlerModule {
  void register(Handlers handlers);
}
