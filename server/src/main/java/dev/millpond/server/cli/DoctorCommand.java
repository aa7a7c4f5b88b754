package dev.millpond.server.cli;

import dev.millpond.engine.MillpondConfig;
import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.config.ConfigValues;
import dev.millpond.server.config.ServerConfig;
import dev.millpond.server.doctor.Doctor;
import dev.millpond.server.doctor.Finding;
import dev.millpond.server.doctor.Finding.Level;
import dev.millpond.server.doctor.RunningDemo;
import dev.millpond.server.http.json.Json;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Looks at an installation: settings, schema, Redis and the books. Changes nothing. */
@Command(
    name = "doctor",
    description = {
      "Checks PostgreSQL, the schema, Redis, the fleet and the books; says what to do.",
      "Exits 0 when nothing is worse than a warning, 1 when something is, 3 without PostgreSQL."
    },
    mixinStandardHelpOptions = true)
final class DoctorCommand implements Callable<Integer>, ConfiguredCommand {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(names = "--json", description = "Prints JSON.")
  private boolean json;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description =
          "Data directory of a running demo, whose servers are examined when no --pg-url is set."
              + " Default: .millpond.")
  private @Nullable Path data;

  @Override
  public Set<ConfigKey> keys() {
    return EnumSet.of(
        ConfigKey.PG_URL, ConfigKey.REDIS_URLS, ConfigKey.REDIS_SHARDS, ConfigKey.LOG_LEVEL);
  }

  @Override
  public Integer call() {
    ConfigValues values = ConfigFlags.load(spec, System.getenv());
    List<Finding> findings = new ArrayList<>();
    if (!values.isSet(ConfigKey.PG_URL)) {
      Path directory = (data == null ? Path.of(".millpond") : data).toAbsolutePath();
      Optional<RunningDemo> demo = RunningDemo.find(directory);
      if (demo.isPresent()) {
        values = with(values, demo.get());
        findings.add(Finding.ok("demo", "process " + demo.get().pid() + ", data in " + directory));
      }
    }
    MillpondConfig config = ServerConfig.engine(values);
    findings.addAll(Doctor.examine(config));
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(json(findings));
    } else {
      print(out, findings);
    }
    if (Finding.count(findings, Level.UNREACHABLE) > 0) {
      return ExitCode.UNREACHABLE;
    }
    return Finding.clean(findings) ? ExitCode.OK : ExitCode.FAILED;
  }

  private static ConfigValues with(ConfigValues values, RunningDemo demo) {
    return values.with(
        Map.of(
            ConfigKey.PG_URL,
            demo.pgUrl(),
            ConfigKey.REDIS_URLS,
            String.join(",", demo.redisUrls())),
        "the demo in " + demo.directory());
  }

  private static void print(PrintWriter out, List<Finding> findings) {
    for (Finding finding : findings) {
      out.printf(
          "%-12s %-38s %s%s%n",
          finding.level().wireName(),
          finding.check(),
          finding.found(),
          finding.why() == null ? "" : ": " + finding.why());
      if (finding.remedy() != null) {
        out.printf("%-12s %-38s -> %s%n", "", "", finding.remedy());
      }
    }
    out.printf(
        "%d errors, %d warnings, %d checks%n",
        Finding.count(findings, Level.ERROR) + Finding.count(findings, Level.UNREACHABLE),
        Finding.count(findings, Level.WARNING),
        findings.size());
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
            out.writeStringProperty("level", finding.level().wireName());
            out.writeStringProperty("found", finding.found());
            Json.optional(out, "why", finding.why());
            Json.optional(out, "remedy", finding.remedy());
            out.writeEndObject();
          }
          out.writeEndArray();
          out.writeEndObject();
        });
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
