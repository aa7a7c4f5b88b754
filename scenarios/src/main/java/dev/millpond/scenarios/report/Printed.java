package dev.millpond.scenarios.report;

import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** A report as people read it, and as one line of JSON. Stateless. */
public final class Printed {
  private static final ObjectMapper JSON = new ObjectMapper();

  private Printed() {}

  /** For people. */
  public static void text(PrintWriter out, Report report) {
    out.println();
    out.println(report.scenario() + (report.holds() ? ": holds" : ": DOES NOT HOLD"));
    for (Check check : report.checks()) {
      out.printf(
          Locale.ROOT,
          "  %-4s %s: %s%n",
          check.holds() ? "ok" : "FAIL",
          check.what(),
          check.found());
    }
    report.figures().forEach((name, value) -> out.printf("  %s: %s%n", name, value));
    out.flush();
  }

  /** One line. */
  public static String json(Report report) {
    ObjectNode line = JSON.createObjectNode();
    line.put("scenario", report.scenario());
    line.put("holds", report.holds());
    ArrayNode checks = line.putArray("checks");
    for (Check check : report.checks()) {
      checks
          .addObject()
          .put("what", check.what())
          .put("holds", check.holds())
          .put("found", check.found());
    }
    ObjectNode figures = line.putObject("figures");
    report.figures().forEach((name, value) -> figures.set(name, JSON.valueToTree(value)));
    if (!report.series().isEmpty()) {
      ObjectNode series = line.putObject("series");
      series.put("stepSeconds", report.stepSeconds());
      for (Map.Entry<String, List<Double>> each : report.series().entrySet()) {
        ArrayNode values = series.putArray(each.getKey());
        each.getValue().forEach(value -> values.add(Math.round(value * 1_000) / 1_000.0));
      }
    }
    return JSON.writeValueAsString(line);
  }
}
