package dev.millpond.server.cli.remote;

import dev.millpond.server.cli.ExitCode;
import dev.millpond.server.client.Call;
import dev.millpond.server.config.DurationText;
import dev.millpond.server.http.json.Json;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code millpond limits set}. */
@Command(
    name = "set",
    description = {
      "Bounds how many jobs of a queue or kind run at a time and start in a time, in the whole"
          + " fleet.",
      "What runs already counts and runs on. What is left out is not bounded."
    },
    sortOptions = false)
final class SetLimitsCommand extends RemoteCommand {
  private static final Pattern RATE = Pattern.compile("(\\d{1,9})/(.+)");

  @Parameters(paramLabel = "NAME", description = "The queue's or kind's name.")
  private String name = "";

  @Option(names = "--kind", description = "NAME is a kind, not a queue.")
  private boolean kind;

  @Option(
      names = "--concurrency",
      paramLabel = "N",
      description = "Jobs that run at a time, 1 to 100000.")
  private @Nullable Integer concurrency;

  @Option(
      names = "--rate",
      paramLabel = "PERMITS/DURATION",
      description = "Jobs that start in a time, such as 100/1s.")
  private @Nullable String rate;

  @Option(
      names = "--burst",
      paramLabel = "N",
      description = "Starts that may be saved up; by default as many as the permits of the rate.")
  private @Nullable Integer burst;

  private int permits;
  private String per = "";

  @Override
  void check() {
    if (concurrency == null && rate == null) {
      throw usage("Nothing to set: give --concurrency or --rate");
    }
    if (rate == null) {
      if (burst != null) {
        throw usage("--burst belongs to --rate");
      }
      return;
    }
    String given = rate;
    Matcher matcher = RATE.matcher(given);
    if (!matcher.matches()) {
      throw noRate(given);
    }
    permits = Integer.parseInt(matcher.group(1));
    per =
        DurationText.parse(matcher.group(2))
            .map(Duration::toString)
            .orElseThrow(() -> noRate(given));
  }

  private RuntimeException noRate(String given) {
    return usage("A rate must be given as PERMITS/DURATION such as 100/1s, is \"" + given + "\"");
  }

  @Override
  int run(Session session) throws InterruptedException {
    byte[] body =
        Json.write(out -> {
          out.writeStartObject();
          Json.optional(out, "concurrency", concurrency);
          if (rate != null) {
            out.writeObjectPropertyStart("rate");
            out.writeNumberProperty("permits", permits);
            out.writeStringProperty("per", per);
            Json.optional(out, "burst", burst);
            out.writeEndObject();
          }
          out.writeEndObject();
        });
    String path = GetLimitsCommand.path(kind, name);
    GetLimitsCommand.show(
        session, session.call(Call.put(path, new String(body, StandardCharsets.UTF_8))));
    return ExitCode.OK;
  }
}
