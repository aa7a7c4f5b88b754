package dev.millpond.server.cli;

import dev.millpond.engine.MillpondConfig;
import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.config.ServerConfig;
import dev.millpond.server.doctor.Doctor;
import dev.millpond.server.doctor.Finding;
import dev.millpond.server.http.json.Json;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Looks at an installation: settings, schema, Redis and the books. Changes nothing. */
@Command(
    name = "doctor",
    description = "Checks PostgreSQL, the schema, Redis and the books; says what to do.",
    mixinStandardHelpOptions = true)
final class DoctorCommand implements Callable<Integer>, ConfiguredCommand {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(names = "--json", description = "Prints JSON.")
  private boolean json;

  @Override
  public Set<ConfigKey> keys() {
    return EnumSet.of(
        ConfigKey.PG_URL, ConfigKey.REDIS_URLS, ConfigKey.REDIS_SHARDS, ConfigKey.LOG_LEVEL);
  }

  @Override
  public Integer call() {
    MillpondConfig config = ServerConfig.engine(ConfigFlags.load(spec, System.getenv()));
    List<Finding> findings = Doctor.examine(config);
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(json(findings));
    } else {
      findings.forEach(finding -> print(out, finding));
    }
    if (findings.stream().anyMatch(f -> f.status() == Finding.Status.UNREACHABLE)) {
      return ExitCode.UNREACHABLE;
    }
    return Finding.clean(findings) ? ExitCode.OK : ExitCode.FAILED;
  }

  private static void print(PrintWriter out, Finding finding) {
    out.printf("%-12s %-28s %s%n", name(finding.status()), finding.check(), finding.detail());
    if (finding.remedy() != null) {
      out.printf("%-12s %-28s -> %s%n", "", "", finding.remedy());
    }
  }

  private static String json(List<Finding> findings) {
    byte[] bytes =
        Json.write(out -> {
          out.writeStartObject();
          out.writeBooleanProperty("clean", Finding.clean(findings));
          out.writeArrayPropertyStart("checks");
          for (Finding finding : findings) {
            out.writeStartObject();
            out.writeStringProperty("check", finding.check());
            out.writeStringProperty("status", name(finding.status()));
            out.writeStringProperty("detail", finding.detail());
            Json.optional(out, "remedy", finding.remedy());
            out.writeEndObject();
          }
          out.writeEndArray();
          out.writeEndObject();
        });
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static String name(Finding.Status status) {
    return status.name().toLowerCase(Locale.ROOT);
  }
}
