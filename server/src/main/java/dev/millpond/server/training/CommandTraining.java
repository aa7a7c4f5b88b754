package dev.millpond.server.training;

import dev.millpond.server.cli.ExitCode;
import dev.millpond.server.cli.MillpondCommand;
import java.io.PrintWriter;
import java.io.Writer;
import picocli.CommandLine;

/** Runs the short commands one after the other in one JVM, for its recording. */
final class CommandTraining {
  private CommandTraining() {}

  /**
   * The program.
   *
   * @param args URL of PostgreSQL, of Redis and of a server
   */
  public static void main(String[] args) {
    String postgres = "--pg-url=" + args[0];
    String redis = "--redis-urls=" + args[1];
    run("--help");
    run("server", "--help");
    run("no-such-command");
    run("migrate", postgres);
    run("doctor", postgres, redis);
    run("doctor", postgres, redis, "--json");
    System.exit(ExitCode.OK);
  }

  private static void run(String... arguments) {
    CommandLine program = MillpondCommand.commandLine();
    program.setOut(new PrintWriter(Writer.nullWriter()));
    program.setErr(new PrintWriter(Writer.nullWriter()));
    program.execute(arguments);
  }
}
