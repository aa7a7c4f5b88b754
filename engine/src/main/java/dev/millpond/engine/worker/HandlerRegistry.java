package dev.millpond.engine.worker;

import dev.millpond.api.HandlerModule;
import dev.millpond.api.HandlerOptions;
import dev.millpond.api.HandlerOptions.Executor;
import dev.millpond.api.Handlers;
import dev.millpond.api.JobHandler;
import dev.millpond.engine.submit.JobRules;
import dev.millpond.engine.worker.forked.ForkedExecutor;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** The handlers of a process by kind. Thread-safe. */
public final class HandlerRegistry implements Handlers {
  private final Map<String, Registration<?>> registrations = new ConcurrentHashMap<>();

  /**
   * A kind's handler.
   *
   * @param module that a child process can make to run it; null when it can run in this process
   *     only
   */
  record Registration<P>(
      Class<P> payload, JobHandler<P> handler, HandlerOptions options, @Nullable Class<?> module) {

    boolean forked() {
      return options.executor() == Executor.FORKED;
    }
  }

  @Override
  public <P> Handlers registerHandler(
      String kind, Class<P> payload, JobHandler<P> handler, HandlerOptions options) {
    register(kind, payload, handler, options, null);
    return this;
  }

  @Override
  public Handlers registerModule(HandlerModule module) {
    module.register(new OfModule(module));
    return this;
  }

  private <P> void register(
      String kind,
      Class<P> payload,
      JobHandler<P> handler,
      HandlerOptions options,
      @Nullable HandlerModule module) {
    if (!JobRules.isName(kind)) {
      throw new IllegalArgumentException(
          "kind \"" + kind + "\" is not a valid name: " + JobRules.NAME_RULE);
    }
    String problem = ForkedExecutor.problem(module);
    if (options.executor() == Executor.FORKED && problem != null) {
      throw new IllegalArgumentException("kind \"" + kind + "\" cannot run forked: " + problem);
    }
    Class<?> type = module == null || problem != null ? null : module.getClass();
    if (registrations.putIfAbsent(kind, new Registration<>(payload, handler, options, type))
        != null) {
      throw new IllegalArgumentException("kind \"" + kind + "\" has a handler already");
    }
  }

  /** Takes a module's handlers and remembers where they are from. */
  private final class OfModule implements Handlers {
    private final HandlerModule module;

    OfModule(HandlerModule module) {
      this.module = module;
    }

    @Override
    public <P> Handlers registerHandler(
        String kind, Class<P> payload, JobHandler<P> handler, HandlerOptions options) {
      register(kind, payload, handler, options, module);
      return this;
    }
  }

  @Nullable Registration<?> find(String kind) {
    return registrations.get(kind);
  }

  public Set<String> kinds() {
    return Set.copyOf(registrations.keySet());
  }

  /** The modules that child processes can make. */
  Set<Class<?>> forkableModules() {
    return modules(registration -> true);
  }

  /** Those of them with a kind that always runs forked. */
  Set<Class<?>> forkedModules() {
    return modules(Registration::forked);
  }

  private Set<Class<?>> modules(Predicate<Registration<?>> wanted) {
    Set<Class<?>> modules = new HashSet<>();
    for (Registration<?> registration : registrations.values()) {
      Class<?> module = registration.module();
      if (module != null && wanted.test(registration)) {
        modules.add(module);
      }
    }
    return modules;
  }
}
