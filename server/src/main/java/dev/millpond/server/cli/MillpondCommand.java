package dev.millpond.server.cli;

import dev.millpond.api.UnavailableException;
import dev.millpond.engine.ConfigException;
import dev.millpond.engine.SchemaException;
import dev.millpond.server.config.Nearest;
import dev.millpond.server.demo.DemoCommand;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/** The program: {@code millpond <command>}. Only {@code server} starts Spring. */
@Command(
    name = "millpond",
    description = "A distributed job queue: PostgreSQL is the truth, Redis Streams move the work.",
    mixinStandardHelpOptions = true,
    versionProvider = MillpondCommand.Version.class,
    subcommands = {
      ServerCommand.class,
      DemoCommand.class,
      MigrateCommand.class,
      DoctorCommand.class
    },
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "",
      "A flag goes over the environment (MILLPOND_PG_URL), that over the file of --config.",
      "Exit codes: 0 ok, 1 a check failed, 2 usage or configuration, 3 unreachable."
    })
public final class MillpondCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  public static void main(String[] args) {
    System.exit(commandLine().execute(args));
  }

  /** The command line with all its commands. */
  public static CommandLine commandLine() {
    CommandLine program = new CommandLine(new MillpondCommand());
    for (CommandLine command : program.getSubcommands().values()) {
      if (command.getCommand() instanceof ConfiguredCommand configured) {
        ConfigFlags.addTo(command.getCommandSpec(), configured.keys());
      }
    }
    return program
        .setParameterExceptionHandler(MillpondCommand::usage)
        .setExecutionExceptionHandler(MillpondCommand::failure)
        .setUsageHelpAutoWidth(true);
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "A command is missing");
  }

  private static int usage(ParameterException e, String[] args) {
    CommandLine command = e.getCommandLine();
    PrintWriter err = command.getErr();
    if (e instanceof UnmatchedArgumentException unmatched && !unmatched.getUnmatched().isEmpty()) {
      String first = unmatched.getUnmatched().getFirst();
      String name = first.replaceFirst("=.*", "");
      List<String> known = known(command, name.startsWith("-"));
      err.println(
          "Unknown "
              + (name.startsWith("-") ? "flag " : "argument ")
              + name
              + (known.isEmpty() ? "" : "; nearest: " + Nearest.to(name, known)));
    } else {
      err.println(e.getMessage());
    }
    err.println("Try " + command.getCommandSpec().qualifiedName() + " --help");
    return ExitCode.USAGE;
  }

  private static List<String> known(CommandLine command, boolean flags) {
    List<String> known = new ArrayList<>();
    if (flags) {
      command.getCommandSpec().options().forEach(option -> known.add(option.longestName()));
    } else {
      known.addAll(command.getSubcommands().keySet());
    }
    return known;
  }

  private static int failure(
      Exception e, CommandLine command, CommandLine.ParseResult parseResult) {
    PrintWriter err = command.getErr();
    return switch (e) {
      case ConfigException config -> {
        err.println(oneLine(config));
        yield ExitCode.USAGE;
      }
      case SchemaException schema -> {
        err.println(oneLine(schema));
        yield ExitCode.USAGE;
      }
      case UnavailableException away -> {
        err.println(oneLine(away));
        yield ExitCode.UNREACHABLE;
      }
      default -> {
        e.printStackTrace(err);
        yield ExitCode.FAILED;
      }
    };
  }

  /** The message on one line, without the passwords that its URLs may carry. */
  private static String oneLine(Throwable e) {
    return String.valueOf(e.getMessage())
        .replaceAll("(?i)(password=)[^&\\s\"]+", "$1***")
        .replaceAll("(://[^/@\\s\":]*:)[^/@\\s\"]+@", "$1***@")
        .replaceAll("\\s+", " ")
        .strip();
  }

  /** The version from the jar's manifest. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = MillpondCommand.class.getPackage().getImplementationVersion();
      return new String[] {
        "millpond " + (version == null ? "from sources" : version), "Java " + Runtime.version()
      };
    }
  }
}
