package dev.millpond.server.cli;

import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.config.ServerConfig;
import dev.millpond.server.run.MillpondServer;
import dev.millpond.server.run.Processes;
import dev.millpond.server.supervise.ServerSupervisor;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.LoggerFactory;
import org.slf4j.bridge.SLF4JBridgeHandler;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Runs a server process until it is told to stop. SIGTERM and Ctrl-C drain it; then it exits 0. */
@Command(
    name = "server",
    description = "Runs a server process: HTTP, worker, maintenance or all of them.",
    mixinStandardHelpOptions = true)
final class ServerCommand implements Callable<Integer>, ConfiguredCommand {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--stop-on-stdin-eof",
      description = "Stop when standard input ends: the end of a supervisor that holds its pipe.")
  private boolean stopOnStdinEof;

  @Option(
      names = "--supervise",
      description = "Run the server as a process of its own, and start it again when it dies.")
  private boolean supervise;

  private volatile boolean stdinEnded;

  @Override
  public Set<ConfigKey> keys() {
    return EnumSet.allOf(ConfigKey.class);
  }

  @Override
  public Integer call() throws InterruptedException {
    ServerConfig config = ServerConfig.of(ConfigFlags.load(spec, System.getenv()));
    if (supervise) {
      return supervise(config);
    }
    SLF4JBridgeHandler.removeHandlersForRootLogger();
    SLF4JBridgeHandler.install();
    if (stopOnStdinEof) {
      // From here on: a supervisor that is killed while this process starts has to end it too.
      Thread.ofPlatform().name("stdin").daemon(true).start(this::exitOnStdinEof);
    }
    // Before the start: between that of the worker and the end of it jobs run already.
    CompletableFuture<MillpondServer> started = new CompletableFuture<>();
    Runtime.getRuntime()
        .addShutdownHook(
            Thread.ofPlatform()
                .name("stop")
                .unstarted(() -> stopOnceStarted(started, config.drainTimeout())));
    MillpondServer server = start(config, started);
    server.awaitStop();
    return server.wornOut() ? ExitCode.WORN_OUT : ExitCode.OK;
  }

  private static MillpondServer start(
      ServerConfig config, CompletableFuture<MillpondServer> started) {
    try {
      MillpondServer server = MillpondServer.start(config);
      started.complete(server);
      return server;
    } catch (RuntimeException | Error e) {
      started.completeExceptionally(e);
      throw e;
    }
  }

  /** A start that fails, or takes for ever, ends with the code that it would have ended with. */
  private void stopOnceStarted(CompletableFuture<MillpondServer> started, Duration within) {
    try {
      MillpondServer server = started.get(within.toMillis(), TimeUnit.MILLISECONDS);
      Runtime.getRuntime().halt(stop(server));
    } catch (ExecutionException | TimeoutException e) {
      return; // nothing has been started that had to be drained
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Drains at the end of the process, however it is told to end, and says with which code: a JVM
   * that a signal ends exits with 143, but a drained stop is a success. One that a handler has
   * asked for is a crash: the jobs of this process are not handed back, but suspected.
   */
  private int stop(MillpondServer server) {
    if (!server.stopping() && !stdinEnded && !signalled()) {
      LoggerFactory.getLogger(ServerCommand.class)
          .error("System.exit was called in this process, by a handler or what it uses");
      return ExitCode.ENDED_BY_HANDLER;
    }
    server.close();
    return server.wornOut() ? ExitCode.WORN_OUT : ExitCode.OK;
  }

  /** Whether it is a signal that ends the JVM: it then has a thread that handles it. */
  private static boolean signalled() {
    return Thread.getAllStackTraces().keySet().stream()
        .anyMatch(thread -> thread.getName().matches("SIG[A-Z0-9]+ handler"));
  }

  private int supervise(ServerConfig config) throws InterruptedException {
    List<String> args = new ArrayList<>();
    for (String arg : spec.root().commandLine().getParseResult().originalArgs()) {
      if (!arg.equals("--supervise") && !arg.equals(ServerSupervisor.STOP_ON_STDIN_EOF)) {
        args.add(arg);
      }
    }
    args.add(ServerSupervisor.STOP_ON_STDIN_EOF);
    ServerSupervisor supervisor =
        new ServerSupervisor(
            Processes.likeThis(args),
            config.drainTimeout(),
            code -> code == ExitCode.OK || code == ExitCode.USAGE || code == ExitCode.DENIED);
    Runtime.getRuntime()
        .addShutdownHook(
            Thread.ofPlatform()
                .name("stop")
                .unstarted(() -> {
                  int code = supervisor.stop();
                  // Worn out and drained, but not to be started again.
                  Runtime.getRuntime().halt(code == ExitCode.WORN_OUT ? ExitCode.OK : code);
                }));
    if (stopOnStdinEof) {
      Thread.ofPlatform().name("stdin").daemon(true).start(this::exitOnStdinEof);
    }
    return supervisor.run();
  }

  private void exitOnStdinEof() {
    try {
      System.in.transferTo(OutputStream.nullOutputStream());
    } catch (IOException e) {
      // A pipe that cannot be read has nobody at its other end.
    }
    stdinEnded = true;
    System.exit(ExitCode.OK);
  }
}
