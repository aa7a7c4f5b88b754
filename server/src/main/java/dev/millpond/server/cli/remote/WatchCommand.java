package dev.millpond.server.cli.remote;

import dev.millpond.server.cli.ExitCode;
import dev.millpond.server.client.ApiJson;
import dev.millpond.server.client.Call;
import dev.millpond.server.client.Reply;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/** {@code millpond jobs watch}: one job until it ends, or the changes of a list. */
@Command(
    name = "watch",
    description = {
      "Follows one job until it ends: states, progress, log lines; exits 0 when it succeeded.",
      "Without an id it follows the newest jobs that match the filters, until it is stopped."
    },
    sortOptions = false)
final class WatchCommand extends RemoteCommand {
  /** Jobs of a list that are followed: the newest ones. */
  private static final int FOLLOWED_MOST = 200;

  private static final DateTimeFormatter CLOCK =
      DateTimeFormatter.ofPattern("HH:mm:ss").withZone(ZoneOffset.UTC);

  @Parameters(
      paramLabel = "ID",
      arity = "0..1",
      converter = Converters.Id.class,
      description = "The job's id.")
  private @Nullable String id;

  @Mixin private JobFilter filter = new JobFilter();

  @Option(
      names = "--for",
      paramLabel = "DURATION",
      converter = Converters.Span.class,
      description = "Stops after this time; exits 1 when the job has not ended by then.")
  private @Nullable Duration bound;

  @Override
  void check() {
    if (id != null && filter.given()) {
      throw usage("Filters go without an id");
    }
  }

  @Override
  int run(Session session) throws InterruptedException {
    return id == null ? list(session) : job(session, id);
  }

  private int job(Session session, String job) throws InterruptedException {
    Follow follow = new Follow(bound);
    JobLog log = new JobLog(job, CLOCK::format);
    String shown = "";
    while (true) {
      Reply.Done look = follow.look(session, Call.get(GetJobCommand.path(job)));
      String line = line(look.json());
      boolean changed = !line.equals(shown);
      boolean ends = JobText.rests(look.json());
      if (changed && !ends) {
        print(session, look, line);
        shown = line;
      }
      boolean logged = log.printNew(session, follow);
      if (ends) {
        print(session, look, line);
        return JobText.succeeded(look.json()) ? ExitCode.OK : ExitCode.FAILED;
      }
      if (follow.over()) {
        session.note("Not ended yet; it goes on");
        return ExitCode.FAILED;
      }
      if (session.readerGone()) {
        return ExitCode.OK;
      }
      follow.pause(changed || logged);
    }
  }

  private int list(Session session) throws InterruptedException {
    Follow follow = new Follow(bound);
    Map<String, String> shown = Map.of();
    while (true) {
      Call call = Call.get("/v1/jobs" + filter.query().with("limit", FOLLOWED_MOST));
      Reply.Done look = follow.look(session, call);
      Map<String, String> now = new LinkedHashMap<>();
      boolean changed = false;
      List<JsonNode> oldestFirst = look.json().path("items").valueStream().toList().reversed();
      for (JsonNode job : oldestFirst) {
        String key = Field.text(job, "id");
        String line = line(job);
        now.put(key, line);
        if (!line.equals(shown.get(key))) {
          changed = true;
          printItem(session, job, look.now());
        }
      }
      shown = now;
      if (follow.over() || session.readerGone()) {
        return ExitCode.OK;
      }
      follow.pause(changed);
    }
  }

  /** What of a job is told when it changes. */
  private static String line(JsonNode job) {
    StringBuilder line = new StringBuilder(Field.text(job, "state"));
    line.append("  attempt ").append(Field.text(job, "attempt"));
    JsonNode progress = job.path("progress");
    String state = Field.text(job, "state");
    if (progress.isObject() && state.equals("running")) {
      line.append("  ").append(JobText.progress(progress));
    }
    if (state.equals("scheduled")) {
      line.append("  due ").append(Field.text(job, "runAt"));
    }
    String error = Field.error(job);
    if (!error.isEmpty() && !state.equals("running")) {
      line.append("  ").append(error);
    }
    return line.toString();
  }

  private static void print(Session session, Reply.Done look, String line) {
    if (session.json()) {
      session.document(look.body());
    } else {
      session.stateLine(CLOCK.format(look.now()) + "  " + line);
    }
  }

  private static void printItem(Session session, JsonNode job, Instant now) {
    if (session.json()) {
      session.document(ApiJson.text(job));
    } else {
      session.stateLine(
          CLOCK.format(now)
              + "  "
              + Field.text(job, "id")
              + "  "
              + Field.text(job, "kind")
              + "  "
              + line(job));
    }
  }
}
