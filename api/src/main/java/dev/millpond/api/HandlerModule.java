package dev.millpond.api;

/**
 * Brings a jar's handlers to a worker started with {@code --handlers my.jar}. Found by {@link
 * java.util.ServiceLoader}: name the class in {@code
 * META-INF/services/dev.millpond.api.HandlerModule}.
 */
public interface HandlerModule {
  void register(Handlers handlers);
}
