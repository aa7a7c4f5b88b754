package dev.millpond.server.http.maintenance;

import dev.millpond.engine.Millpond;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.RetentionConfig;
import dev.millpond.engine.access.Scope;
import dev.millpond.engine.books.BooksReport;
import dev.millpond.engine.query.Activity;
import dev.millpond.server.http.Answer;
import dev.millpond.server.http.Query;
import dev.millpond.server.http.access.Caller;
import dev.millpond.server.http.access.Needs;
import dev.millpond.server.http.events.LeaderWriter;
import dev.millpond.server.http.json.Json;
import dev.millpond.server.http.problem.Problem;
import dev.millpond.server.http.problem.ProblemException;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Semaphore;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** Shows who does the maintenance, what it has done, and whether the books are in order. */
@RestController
public final class MaintenanceController {
  /** What this process has counted since it started: names in the answer, and meters. */
  private static final Map<String, String> COUNTED =
      new TreeMap<>(
          Map.of(
              "rescued", "millpond.jobs.rescued",
              "reconciled", "millpond.jobs.reconciled",
              "stale", "millpond.jobs.stale",
              "daysDropped", "millpond.retention.days.dropped",
              "jobsDropped", "millpond.retention.jobs.dropped",
              "jobsTrimmed", "millpond.retention.jobs.trimmed",
              "survivorsMoved", "millpond.retention.survivors.moved",
              "deadLettersRemoved", "millpond.retention.dead.letters.removed",
              "dropsPutOff", "millpond.retention.lock.failures",
              "depthDrift", "millpond.depth.drift.jobs"));

  private final Millpond millpond;
  private final MillpondConfig config;
  private final MeterRegistry registry;
  private final Semaphore booksTurn = new Semaphore(1);

  public MaintenanceController(Millpond millpond, MillpondConfig config, MeterRegistry registry) {
    this.millpond = millpond;
    this.config = config;
    this.registry = registry;
  }

  /** The leader, the counts of this process, and how long what is kept. */
  @Needs(Scope.READ)
  @GetMapping("/v1/maintenance")
  public void show(HttpServletRequest request, HttpServletResponse response) throws IOException {
    Query.none(request);
    Activity activity = millpond.activity();
    Activity.Leader leader = activity.leader();
    RetentionConfig retention = config.retention();
    Answer.json(
            200,
            out -> {
              out.writeStartObject();
              LeaderWriter.write(out, leader);
              out.writeStringProperty("process", millpond.nodeId().toString());
              out.writeBooleanProperty(
                  "leads", leader != null && leader.node().equals(millpond.nodeId()));
              out.writeObjectPropertyStart("counted");
              COUNTED.forEach((name, meter) -> out.writeNumberProperty(name, counted(meter)));
              out.writeEndObject();
              out.writeObjectPropertyStart("retention");
              Json.optional(out, "succeeded", retention.succeeded());
              Json.optional(out, "cancelled", retention.cancelled());
              Json.optional(out, "dead", retention.dead());
              out.writeEndObject();
              out.writeEndObject();
            })
        .writeTo(response);
  }

  private long counted(String meter) {
    return (long) registry.find(meter).counters().stream().mapToDouble(Counter::count).sum();
  }

  /** Checks the books, which reads all live jobs and may take a while: one check at a time. */
  @Needs(Scope.READ)
  @GetMapping("/v1/books")
  public void books(HttpServletRequest request, HttpServletResponse response) throws IOException {
    Query.none(request);
    Caller.of(request).wholeFleet();
    if (!booksTurn.tryAcquire()) {
      throw new ProblemException(
          Problem.of(503, "server-busy", "The books are being checked already")
              .remedy("Try again when that check has ended")
              .header("Retry-After", "5"));
    }
    BooksReport report;
    try {
      report = millpond.checkBooks();
    } finally {
      booksTurn.release();
    }
    Answer.json(
            200,
            out -> {
              out.writeStartObject();
              out.writeBooleanProperty("clean", report.clean());
              out.writeNumberProperty("jobs", report.jobs());
              out.writeNumberProperty("outcomes", report.outcomes());
              out.writeNumberProperty("live", report.live());
              out.writeArrayPropertyStart("findings");
              for (BooksReport.Finding finding : report.findings()) {
                out.writeStartObject();
                out.writeStringProperty("rule", finding.rule());
                out.writeStringProperty("subject", finding.subject());
                out.writeStringProperty("detail", finding.detail());
                out.writeEndObject();
              }
              out.writeEndArray();
              out.writeEndObject();
            })
        .writeTo(response);
  }
}
