package dev.millpond.server.run;

import dev.millpond.engine.ConfigException;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.trace.Tracing;
import dev.millpond.server.config.Role;
import dev.millpond.server.config.ServerConfig;
import dev.millpond.server.handlers.HandlerJars;
import dev.millpond.server.http.HttpServer;
import dev.millpond.server.http.health.Readiness;
import dev.millpond.server.metrics.ProcessMeters;
import dev.millpond.server.metrics.ServerMetric;
import dev.millpond.server.traces.OtlpTraces;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One server process: connects the engine, registers the handlers, serves HTTP, then takes up its
 * roles. Stops in the reverse order, with the drain first: readiness goes to 503, running jobs
 * finish or are handed back, and only then does HTTP end. Thread-safe.
 */
public final class MillpondServer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(MillpondServer.class);
  private static final long LOOK_MILLIS = 1_000;

  private final ServerConfig config;
  private final Millpond millpond;
  private final HttpServer http;
  private final Readiness readiness;
  private final Deque<AutoCloseable> parts;
  private final AtomicBoolean stopping = new AtomicBoolean();
  private volatile boolean wornOut;
  private final CountDownLatch stopped = new CountDownLatch(1);

  private MillpondServer(
      ServerConfig config,
      Millpond millpond,
      HttpServer http,
      Readiness readiness,
      Deque<AutoCloseable> parts) {
    this.config = config;
    this.millpond = millpond;
    this.http = http;
    this.readiness = readiness;
    this.parts = parts;
  }

  /**
   * Starts a server.
   *
   * @return once it is ready
   * @throws ConfigException when the configuration cannot be used, a port in use included
   * @throws dev.millpond.engine.SchemaException when {@code migrate} has to run first
   * @throws dev.millpond.api.UnavailableException when PostgreSQL cannot be reached
   */
  public static MillpondServer start(ServerConfig config) {
    Deque<AutoCloseable> parts = new ArrayDeque<>();
    try {
      return start(config, parts);
    } catch (RuntimeException | Error e) {
      closeAll(parts);
      throw e;
    }
  }

  private static MillpondServer start(ServerConfig config, Deque<AutoCloseable> parts) {
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    parts.push(registry::close);
    parts.push(ProcessMeters.open(registry, config.roles()));

    // The jars outlive the engine, whose handlers come from them.
    HandlerJars jars = HandlerJars.open(config.handlers());
    parts.push(jars);
    OtlpTraces traces = traces(config, parts);
    Tracing tracing = traces == null ? Tracing.NONE : traces.tracing();
    Millpond millpond = Millpond.connect(config.engine(), registry, tracing);
    parts.push(millpond);
    int modules = jars.registerWith(millpond);

    Readiness readiness = new Readiness(millpond);
    HttpServer http =
        HttpServer.start(
            new HttpServer.Parts(
                config.bind(),
                config.port(),
                config.bodies(),
                config.engine(),
                config.roles().contains(Role.API),
                config.access(),
                millpond,
                registry,
                traces == null ? null : traces.requests(),
                readiness));
    parts.push(http);
    if (config.roles().contains(Role.WORKER)) {
      parts.push(showLife(config, millpond));
      millpond.startWorker();
    }
    if (config.roles().contains(Role.MAINTENANCE)) {
      millpond.startMaintenance();
      if (config.booksEvery() != null) {
        parts.push(BooksPatrol.start(millpond, config.booksEvery()));
      }
    }
    parts.push(RunFile.write(config.runFile(), http.url(), config.roles()));
    readiness.started();
    log.info(
        "Serving {} as {}, session {}, handler modules {}",
        http.url(),
        config.roles().stream().sorted().map(Role::wireName).collect(Collectors.joining(",")),
        millpond.nodeId(),
        modules);
    MillpondServer server = new MillpondServer(config, millpond, http, readiness, parts);
    Gauge connections = registry.get(ServerMetric.HTTP_CONNECTIONS.metric().name()).gauge();
    Wear wear = new Wear(millpond, connections::value);
    Thread.ofPlatform().name("wear").daemon(true).start(() -> server.watch(wear));
    return server;
  }

  /** The classes that send spans are loaded only where it is configured. */
  private static @Nullable OtlpTraces traces(ServerConfig config, Deque<AutoCloseable> parts) {
    if (config.traces() == null) {
      return null;
    }
    OtlpTraces traces = OtlpTraces.open(config.traces());
    parts.push(traces);
    return traces;
  }

  private static AutoCloseable showLife(ServerConfig config, Millpond millpond) {
    try {
      return ProcessFile.open(
          config.dataDir().resolve("processes"), millpond.nodeId(), millpond::processDied);
    } catch (IOException e) {
      log.warn("Should this process die, nobody will know before its lease is over", e);
      return () -> {};
    }
  }

  /** Drains once this process is worn, and gives it up when it is spent. */
  private void watch(Wear wear) {
    try {
      while (!stopped.await(LOOK_MILLIS, TimeUnit.MILLISECONDS) && !stopping.get()) {
        Wear.State state = wear.look();
        if (state == Wear.State.WORN) { // no switch: its class could not be loaded any more
          log.error("This process drains and ends: {}", wear.reason());
          wornOut = true;
          close();
        } else if (state == Wear.State.SPENT) {
          log.error("This process ends at once, its jobs will be rescued: {}", wear.reason());
          giveUp();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException | Error e) { // nobody would look any more
      giveUp();
      throw e;
    }
  }

  private void giveUp() {
    wornOut = true;
    stopping.set(true);
    stopped.countDown();
  }

  /**
   * Whether it stopped, or was given up, because it had lost what does not come back: to handlers
   * that hold too much of it, or a thread of its own to an error.
   */
  public boolean wornOut() {
    return wornOut;
  }

  /** Whether it stops or has stopped. */
  public boolean stopping() {
    return stopping.get();
  }

  /** Where it listens, with the actual port. */
  public URI url() {
    return http.url();
  }

  public Millpond millpond() {
    return millpond;
  }

  /** Waits until another thread has stopped the server, or it is given up. */
  public void awaitStop() throws InterruptedException {
    stopped.await();
  }

  /** Drains and stops. The first call does it; later ones return at once. */
  @Override
  public void close() {
    if (!stopping.compareAndSet(false, true)) {
      return;
    }
    readiness.draining();
    millpond.stopWaiting();
    log.info("Draining, at most {}", config.drainTimeout());
    try {
      if (!millpond.drain(config.drainTimeout())) {
        log.warn("Jobs were still running after {}; they were handed back", config.drainTimeout());
      }
    } catch (RuntimeException e) {
      log.error("The drain failed; the jobs of this process will be rescued", e);
    }
    closeAll(parts);
    log.info("Stopped");
    stopped.countDown();
  }

  private static void closeAll(Deque<AutoCloseable> parts) {
    while (!parts.isEmpty()) {
      AutoCloseable part = parts.pop();
      try {
        part.close();
      } catch (IOException | RuntimeException e) {
        log.warn("Stopping {} failed", part.getClass().getSimpleName(), e);
      } catch (Exception e) {
        log.warn("Stopping {} was interrupted", part.getClass().getSimpleName(), e);
      }
    }
  }
}
