package dev.millpond.server.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.millpond.api.UnavailableException;
import dev.millpond.engine.ConfigException;
import dev.millpond.engine.SchemaException;
import dev.millpond.server.cli.remote.AuditCommand;
import dev.millpond.server.cli.remote.DeadLettersCommand;
import dev.millpond.server.cli.remote.FailureText;
import dev.millpond.server.cli.remote.InputException;
import dev.millpond.server.cli.remote.JobsCommand;
import dev.millpond.server.cli.remote.KeysCommand;
import dev.millpond.server.cli.remote.KindsCommand;
import dev.millpond.server.cli.remote.LimitsCommand;
import dev.millpond.server.cli.remote.Noun;
import dev.millpond.server.cli.remote.PausesCommand;
import dev.millpond.server.cli.remote.QueuesCommand;
import dev.millpond.server.cli.remote.TagsCommand;
import dev.millpond.server.cli.remote.WeightsCommand;
import dev.millpond.server.cli.remote.WorkersCommand;
import dev.millpond.server.cli.terminal.PlainText;
import dev.millpond.server.cli.terminal.Terminal;
import dev.millpond.server.client.CallException;
import dev.millpond.server.config.Nearest;
import dev.millpond.server.demo.DemoCommand;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
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
      DoctorCommand.class,
      JobsCommand.class,
      DeadLettersCommand.class,
      QueuesCommand.class,
      WeightsCommand.class,
      WorkersCommand.class,
      KindsCommand.class,
      TagsCommand.class,
      PausesCommand.class,
      LimitsCommand.class,
      KeysCommand.class,
      AuditCommand.class,
      CompletionCommand.class
    },
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "",
      "A flag goes over the environment (MILLPOND_PG_URL), that over the --config file.",
      "Exit codes: 0 ok, 1 a check or a job failed, 2 usage or configuration,",
      "3 unreachable, 4 refused, 5 not allowed."
    })
public final class MillpondCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  /** Output is UTF-8 whatever the locale: a program that reads JSON expects nothing else. */
  public static void main(String[] args) {
    PrintWriter out =
        new PrintWriter(
            new OutputStreamWriter(new FileOutputStream(FileDescriptor.out), UTF_8), true);
    PrintWriter err =
        new PrintWriter(
            new OutputStreamWriter(new FileOutputStream(FileDescriptor.err), UTF_8), true);
    int code =
        commandLine(Terminal.ofProcess(), List.of(args)).setOut(out).setErr(err).execute(args);
    out.flush();
    err.flush();
    System.exit(code);
  }

  /** The command line with all its commands, in this process's terminal. */
  public static CommandLine commandLine() {
    return commandLine(Terminal.ofProcess());
  }

  /** The command line with all its commands. */
  public static CommandLine commandLine(Terminal terminal) {
    return commandLine(terminal, List.of(CompletionCommand.NAME));
  }

  /** The command line, with the verbs of those nouns only that the arguments may ask for. */
  private static CommandLine commandLine(Terminal terminal, List<String> args) {
    CommandLine program = new CommandLine(new MillpondCommand());
    for (CommandLine command : Set.copyOf(program.getSubcommands().values())) {
      Object object = command.getCommand();
      switch (object) {
        case ConfiguredCommand configured ->
            ConfigFlags.addTo(command.getCommandSpec(), configured.keys());
        case Noun noun -> {
          if (args.contains(CompletionCommand.NAME)
              || command.getCommandSpec().names().stream().anyMatch(args::contains)) {
            noun.addVerbs(command, terminal);
          }
        }
        default -> {
          // Made of its annotations alone.
        }
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
      case InputException input -> {
        err.println(PlainText.line(String.valueOf(input.getMessage())));
        yield ExitCode.USAGE;
      }
      case CallException call -> {
        FailureText.print(err, call.failure());
        yield ExitCode.of(call.failure());
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
