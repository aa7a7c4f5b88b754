package dev.millpond.server.cli.remote;

import dev.millpond.server.cli.ExitCode;
import dev.millpond.server.client.Call;
import dev.millpond.server.http.json.Json;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code millpond weights set}. */
@Command(
    name = "set",
    description = {
      "Sets the weights of a queue's priority classes, in the whole fleet within a second.",
      "Classes that are left out get the configured weight."
    },
    sortOptions = false)
final class SetWeightsCommand extends RemoteCommand {
  @Parameters(index = "0", paramLabel = "QUEUE", description = "The queue's name.")
  private String queue = "";

  @Parameters(
      index = "1..*",
      paramLabel = "CLASS=WEIGHT",
      arity = "1..*",
      description = "Weights, 1 to 10000, such as critical=50 high=30.")
  private List<String> given = List.of();

  private final Map<String, Integer> weights = new LinkedHashMap<>();

  @Override
  void check() {
    for (String word : given) {
      int equals = word.indexOf('=');
      String priorityClass = word.substring(0, Math.max(0, equals));
      try {
        int weight = Integer.parseInt(word.substring(equals + 1));
        if (!priorityClass.isEmpty()) {
          if (weights.put(priorityClass, weight) != null) {
            throw usage("The weight of " + priorityClass + " is given twice");
          }
          continue;
        }
      } catch (NumberFormatException e) {
        // Refused below, like a weight without a class.
      }
      throw usage("A weight must be given as CLASS=WEIGHT such as high=30, is \"" + word + "\"");
    }
  }

  @Override
  int run(Session session) throws InterruptedException {
    byte[] body =
        Json.write(out -> {
          out.writeStartObject();
          out.writeObjectPropertyStart("weights");
          weights.forEach(out::writeNumberProperty);
          out.writeEndObject();
          out.writeEndObject();
        });
    Call call = Call.put(GetWeightsCommand.path(queue), new String(body, StandardCharsets.UTF_8));
    GetWeightsCommand.show(session, session.call(call));
    return ExitCode.OK;
  }
}
