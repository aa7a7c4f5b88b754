package dev.millpond.server.cli;

import dev.millpond.engine.Millpond;
import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.config.ServerConfig;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Creates or updates the schema in PostgreSQL. Safe to run again, and from several places. */
@Command(
    name = "migrate",
    description = "Creates or updates the schema in PostgreSQL.",
    mixinStandardHelpOptions = true)
final class MigrateCommand implements Callable<Integer>, ConfiguredCommand {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Set<ConfigKey> keys() {
    return EnumSet.of(ConfigKey.PG_URL, ConfigKey.LOG_LEVEL);
  }

  @Override
  public Integer call() {
    String pgUrl = ServerConfig.engine(ConfigFlags.load(spec, System.getenv())).pgUrl();
    int migrations = Millpond.migrate(pgUrl);
    spec.commandLine()
        .getOut()
        .println(
            migrations == 0
                ? "The schema is up to date"
                : "The schema is up to date; migrations applied: " + migrations);
    return ExitCode.OK;
  }
}
