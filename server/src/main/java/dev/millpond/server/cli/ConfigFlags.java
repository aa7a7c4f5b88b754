package dev.millpond.server.cli;

import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.config.ConfigValues;
import dev.millpond.server.config.ServerConfig;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Collection;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** The flags of a command that stand for configuration keys, made from the table of keys. */
final class ConfigFlags {
  private static final String CONFIG = "--config";

  private ConfigFlags() {}

  /** Adds the flags of these keys, and {@code --config}. */
  static void addTo(CommandSpec command, Set<ConfigKey> keys) {
    for (ConfigKey key : keys) {
      OptionSpec.Builder option =
          OptionSpec.builder(key.flag())
              .paramLabel(key.placeholder())
              .description(description(key));
      if (key.list()) {
        option.type(List.class).auxiliaryTypes(String.class).arity("1");
      } else {
        option.type(String.class).arity("1");
      }
      command.addOption(option.build());
    }
    command.addOption(
        OptionSpec.builder(CONFIG)
            .paramLabel("FILE")
            .type(Path.class)
            .arity("1")
            .description("Properties file with keys such as millpond.pg.url.")
            .build());
  }

  /**
   * Merges the flags with environment and file, says what is odd and sets level and form of the
   * log, which has to come before its first line.
   *
   * @throws dev.millpond.engine.ConfigException when a source has an unknown key
   */
  static ConfigValues load(CommandSpec command, Map<String, String> env) {
    ParseResult parsed = command.commandLine().getParseResult();
    Map<ConfigKey, String> flags = new EnumMap<>(ConfigKey.class);
    for (ConfigKey key : EnumSet.allOf(ConfigKey.class)) {
      Object value = parsed.matchedOptionValue(key.flag(), (Object) null);
      if (value instanceof Collection<?> parts) {
        flags.put(key, String.join(",", parts.stream().map(Object::toString).toList()));
      } else if (value != null) {
        flags.put(key, value.toString());
      }
    }
    ConfigValues values =
        ConfigValues.load(flags, env, parsed.matchedOptionValue(CONFIG, (Path) null));
    PrintWriter err = command.commandLine().getErr();
    values.warnings().forEach(warning -> err.println("Warning: " + warning));
    System.setProperty(ConfigKey.LOG_LEVEL.env(), ServerConfig.logLevel(values));
    System.setProperty(ConfigKey.LOG_FORMAT.env(), ServerConfig.logFormat(values));
    return values;
  }

  private static String description(ConfigKey key) {
    String standard = key.standard();
    String text = key.description().replace("%", "%%");
    return standard == null || standard.isEmpty() ? text : text + " Default: " + standard + ".";
  }
}
