package dev.millpond.scenarios.report;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** A report as people read it, and as one line of JSON. Stateless. */
public final class Printed {
  private static final ObjectMapper JSON = new ObjectMapper();

  private static final int POINTS_MAX = 60;

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

  /**
   * What was seen over time, as a Mermaid chart: text that Markdown viewers draw. At most {@value
   * #POINTS_MAX} points of a line, each the average of those that it stands for.
   */
  public static void chart(PrintWriter out, Report report) {
    Map<String, List<Double>> series = report.series();
    int values = series.values().stream().mapToInt(List::size).max().orElse(0);
    int each = Math.max(1, Math.ceilDiv(values, POINTS_MAX));
    double most =
        series.values().stream().flatMap(List::stream).mapToDouble(v -> v).max().orElse(1);
    out.println("```mermaid");
    out.println("xychart-beta");
    out.printf("  title \"%s: %s\"%n", report.scenario(), String.join(", ", series.keySet()));
    out.printf(Locale.ROOT, "  x-axis \"seconds\" 0 --> %.0f%n", values * report.stepSeconds());
    out.printf(Locale.ROOT, "  y-axis 0 --> %.0f%n", Math.ceil(most));
    for (List<Double> line : series.values()) {
      List<String> points = new ArrayList<>();
      for (int i = 0; i < line.size(); i += each) {
        double average =
            line.subList(i, Math.min(i + each, line.size())).stream()
                .mapToDouble(v -> v)
                .average()
                .orElse(0);
        points.add(String.format(Locale.ROOT, "%.1f", average));
      }
      out.println("  line [" + String.join(", ", points) + "]");
    }
    out.println("```");
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
