package dev.millpond.server.cli;

import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.config.ServerConfig;
import dev.millpond.server.run.MillpondServer;
import java.io.IOException;
import java.io.OutputStream;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.Callable;
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

  @Override
  public Set<ConfigKey> keys() {
    return EnumSet.allOf(ConfigKey.class);
  }

  @Override
  public Integer call() throws InterruptedException {
    ServerConfig config = ServerConfig.of(ConfigFlags.load(spec, System.getenv()));
    SLF4JBridgeHandler.removeHandlersForRootLogger();
    SLF4JBridgeHandler.install();
    if (stopOnStdinEof) {
      // From here on: a supervisor that is killed while this process starts has to end it too.
      Thread.ofPlatform().name("stdin").daemon(true).start(ServerCommand::exitOnStdinEof);
    }
    MillpondServer server = MillpondServer.start(config);
    Runtime.getRuntime()
        .addShutdownHook(
            Thread.ofPlatform()
                .name("stop")
                .unstarted(() -> {
                  server.close();
                  // A JVM that a signal ends exits with 143; a drained stop is a success.
                  Runtime.getRuntime().halt(ExitCode.OK);
                }));
    server.awaitStop();
    return ExitCode.OK;
  }

  private static void exitOnStdinEof() {
    try {
      System.in.transferTo(OutputStream.nullOutputStream());
    } catch (IOException e) {
      // A pipe that cannot be read has nobody at its other end.
    }
    System.exit(ExitCode.OK);
  }
}
