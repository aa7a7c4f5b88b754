package dev.millpond.server.cli.remote;

import dev.millpond.server.cli.ExitCode;
import dev.millpond.server.client.Call;
import dev.millpond.server.client.Reply;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/** {@code millpond limits get}. */
@Command(
    name = "get",
    description = "Shows the limits of a queue or kind, and the jobs that run under them.",
    sortOptions = false)
final class GetLimitsCommand extends RemoteCommand {
  @Parameters(paramLabel = "NAME", description = "The queue's or kind's name.")
  private String name = "";

  @Option(names = "--kind", description = "NAME is a kind, not a queue.")
  private boolean kind;

  @Override
  int run(Session session) throws InterruptedException {
    show(session, session.call(Call.get(path(kind, name))));
    return ExitCode.OK;
  }

  static String path(boolean kind, String name) {
    return (kind ? "/v1/kinds/" : "/v1/queues/") + Call.part(name) + "/limits";
  }

  /** Prints an answer about limits. */
  static void show(Session session, Reply.Done done) {
    if (session.json()) {
      session.document(done.body());
      return;
    }
    JsonNode limits = done.json();
    for (String scope : new String[] {"queue", "kind"}) {
      member(session, scope, Field.text(limits, scope));
    }
    member(session, "concurrency", Field.text(limits, "concurrency"));
    JsonNode rate = limits.path("rate");
    if (rate.isObject()) {
      String text = Field.text(rate, "permits") + " per " + Field.text(rate, "per");
      member(session, "rate", text + ", burst " + Field.text(rate, "burst"));
    }
    member(session, "tokens", Field.text(limits, "tokens"));
    member(session, "running", Field.text(limits, "running"));
    String holders =
        limits
            .path("holders")
            .valueStream()
            .map(JsonNode::asString)
            .collect(Collectors.joining(" "));
    member(session, "holders", holders);
  }

  private static void member(Session session, String name, String value) {
    if (!value.isEmpty()) {
      session.line("%-11s  %s".formatted(name, value));
    }
  }
}
