package dev.millpond.server.http.events;

import dev.millpond.engine.fleet.WorkerView;
import dev.millpond.engine.flow.Pause;
import dev.millpond.engine.query.Activity;
import dev.millpond.engine.query.Health;
import dev.millpond.engine.query.QueueView;
import dev.millpond.server.doctor.Finding;
import dev.millpond.server.doctor.Finding.Level;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * What of a fleet's state people should know, in words: the doctor's findings, and what changes too
 * fast for it to say.
 */
final class FleetRules {
  /** Attempts from which on their success is judged. */
  private static final int ATTEMPTS_JUDGED = 20;

  private static final double SUCCESS_POOR = 0.9;
  private static final double SUCCESS_BAD = 0.5;

  /** Findings that are given. */
  private static final int FINDINGS_MAX = 50;

  /** Where one acts on the doctor's findings; of those of other names it is not said here. */
  private static final Map<String, String> PAGES =
      Map.of(
          "fleet.leader", "maintenance",
          "fleet.kinds", "workers",
          "fleet.classes", "queues",
          "fleet.due", "jobs?q=state:scheduled");

  private FleetRules() {}

  /**
   * The findings, worst first.
   *
   * @param doctor what it found a moment ago
   */
  static List<FleetFinding> of(FleetState state, List<Finding> doctor) {
    List<FleetFinding> found = new ArrayList<>();
    components(state.health(), found);
    for (Finding finding : doctor) {
      String page = PAGES.get(finding.check());
      if (page != null && finding.level() != Level.OK) {
        found.add(new FleetFinding(finding, page));
      }
    }
    Activity activity = state.activity();
    if (activity != null) {
      workers(state, found);
      state.queues().forEach(queue -> queue(queue, found));
      state.pauses().forEach(pause -> found.add(paused(pause)));
      attempts(activity, found);
    }
    return found.stream()
        .sorted(
            Comparator.comparing((FleetFinding each) -> each.finding().level(), Level::compareTo)
                .reversed())
        .limit(FINDINGS_MAX)
        .toList();
  }

  private static void components(Health health, List<FleetFinding> found) {
    for (Health.Component component : health.components()) {
      if (component.up()) {
        continue;
      }
      String what = component.name() + " of this server does not work: " + component.detail();
      found.add(
          new FleetFinding(
              component.needed()
                  ? Finding.error(
                      component.name(),
                      what,
                      "this server is of no use without it",
                      "./millpond doctor --pg-url …")
                  : Finding.warning(
                      component.name(),
                      what,
                      "jobs take another way, which may be slower",
                      "./millpond doctor --pg-url …"),
              "maintenance"));
    }
  }

  private static void workers(FleetState state, List<FleetFinding> found) {
    boolean takes =
        state.workers().stream().anyMatch(worker -> worker.state() == WorkerView.State.ACTIVE);
    if (!takes && state.totals().depth() > 0) {
      found.add(
          new FleetFinding(
              Finding.error(
                  "fleet.workers",
                  "no worker takes jobs, " + state.totals().depth() + " are ready",
                  "they run once there is one",
                  "./millpond server --role worker --handlers … --pg-url …"),
              "workers"));
    }
    for (WorkerView worker : state.workers()) {
      String name = worker.host() + ":" + worker.pid();
      switch (worker.state()) {
        case ACTIVE -> {}
        case DRAINING, DRAINED ->
            found.add(
                new FleetFinding(
                    Finding.info(
                        "worker.drained",
                        "worker " + name + " takes no jobs, it was asked to drain",
                        "the others have its share",
                        null),
                    "workers"));
        case SILENT, LOST ->
            found.add(
                new FleetFinding(
                    Finding.warning(
                        "worker.lost",
                        "worker "
                            + name
                            + " was last heard "
                            + worker.sinceBeat().toSeconds()
                            + " s ago",
                        "what it ran is rescued and runs again",
                        "Look at its process and its log"),
                    "workers"));
      }
    }
  }

  private static void queue(QueueView queue, List<FleetFinding> found) {
    String page = "queues/" + queue.name();
    if (queue.closed()) {
      found.add(
          new FleetFinding(
              Finding.warning(
                  "queue.full",
                  "queue "
                      + queue.name()
                      + " is full: "
                      + queue.depth()
                      + " jobs with "
                      + (queue.payloadBytes() >> 20)
                      + " MiB",
                  "producers wait or are refused with 503 until it is below its low watermark",
                  "Add workers, or raise its watermarks"),
              page));
    }
    Pause pause = queue.pause();
    if (pause != null) {
      found.add(paused(pause));
    }
  }

  private static FleetFinding paused(Pause pause) {
    String scope = pause.scope().word();
    String words =
        scope
            + " "
            + pause.name()
            + " is paused"
            + (pause.by() == null ? "" : " by " + pause.by())
            + (pause.reason() == null ? "" : ": " + pause.reason());
    return new FleetFinding(
        Finding.info(
            "paused", words, "none of its jobs starts", "./millpond " + scope + "s resume"),
        pause.scope() == Pause.Scope.QUEUE ? "queues/" + pause.name() : "queues");
  }

  private static void attempts(Activity activity, List<FleetFinding> found) {
    Activity.Attempts attempts = activity.attempts();
    int ended = attempts.succeeded() + attempts.failed() + attempts.timedOut();
    double ratio = attempts.successRatio();
    if (ended >= ATTEMPTS_JUDGED && ratio < SUCCESS_POOR) {
      String what =
          Math.round(100 * ratio) + " % of " + ended + " attempts of the last minute succeeded";
      String why = "the others are tried again, and are dead letters in the end";
      String remedy = "Look at the errors of the jobs";
      found.add(
          new FleetFinding(
              ratio < SUCCESS_BAD
                  ? Finding.error("attempts.fail", what, why, remedy)
                  : Finding.warning("attempts.fail", what, why, remedy),
              "jobs?q=state:scheduled,dead"));
    }
    int died = activity.died().lastMinute();
    if (died > 0) {
      found.add(
          new FleetFinding(
              Finding.warning(
                  "dead-letters.grow",
                  died + (died == 1 ? " job" : " jobs") + " became dead letters in the last minute",
                  "they run again only when somebody redrives them",
                  "./millpond dead-letters list"),
              "dead-letters"));
    }
    if (attempts.rescued() > 0) {
      found.add(
          new FleetFinding(
              Finding.info(
                  "jobs.rescued",
                  attempts.rescued()
                      + " attempts of lost workers were taken back in the last minute",
                  "these jobs run again",
                  null),
              "workers"));
    }
  }
}
