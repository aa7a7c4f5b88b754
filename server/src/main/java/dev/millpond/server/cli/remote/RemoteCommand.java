package dev.millpond.server.cli.remote;

import dev.millpond.server.cli.terminal.Terminal;
import dev.millpond.server.client.ApiClient;
import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * A command that talks to a server. Connects after its options are checked, and drops the
 * connection when it ends.
 */
abstract class RemoteCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private ConnectionOptions connection = new ConnectionOptions();

  private Terminal terminal = Terminal.piped(Map.of(), InputStream.nullInputStream());

  /** Says where the command runs; before it does. */
  final void runsIn(Terminal place) {
    terminal = place;
  }

  @Override
  public final Integer call() throws IOException, InterruptedException {
    check();
    try (ApiClient client = connection.connect(terminal)) {
      return run(
          new Session(
              client,
              terminal,
              spec.commandLine().getOut(),
              spec.commandLine().getErr(),
              connection.json()));
    }
  }

  /** Checks what picocli cannot. */
  void check() throws IOException {}

  /** The work. The result is the exit code. */
  abstract int run(Session session) throws IOException, InterruptedException;

  /** Whether its caller has a key. */
  final boolean hasKey() {
    return connection.keyFile(terminal).isPresent();
  }

  final Terminal terminal() {
    return terminal;
  }

  /** A mistake on the command line. */
  final ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
