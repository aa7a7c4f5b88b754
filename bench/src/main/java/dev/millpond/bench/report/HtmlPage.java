package dev.millpond.bench.report;

import dev.millpond.bench.scenario.Ceiling;
import dev.millpond.bench.scenario.Result;
import dev.millpond.bench.scenario.Result.Latency;
import dev.millpond.bench.scenario.Result.Memory;
import dev.millpond.bench.scenario.Series;
import dev.millpond.bench.scenario.Series.Point;
import dev.millpond.bench.servers.Role;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * A report as one page with charts, that needs nothing beside it: the charts are markup, in the
 * colours of the reader's light or dark scheme.
 */
public final class HtmlPage {
  /** Below this rate it is the offered load and not the machine that decides what a job costs. */
  private static final double FULL_SPEED = 15_000;

  /** Whose latency is that of end to end under full load, seen again. */
  private static final Set<String> SAME_LATENCY =
      Set.of("retries", "payload", "workers", "shards", "snapshot", "backlog");

  private final Report report;
  private final StringBuilder out = new StringBuilder();

  private HtmlPage(Report report) {
    this.report = report;
  }

  public static String of(Report report) {
    HtmlPage page = new HtmlPage(report);
    page.head();
    page.targets();
    page.rates();
    page.latencies();
    page.costs();
    page.courses();
    page.idle();
    page.table();
    return template().replace("@content@", page.out);
  }

  private static String template() {
    try (InputStream in =
        Objects.requireNonNull(HtmlPage.class.getResourceAsStream("page.html"), "page.html")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void head() {
    out.append("<div class=\"head\"><h1>Millpond bench</h1><time>");
    out.append(Markup.text(report.startedAt())).append("</time>");
    out.append(
        report.valid()
            ? "<span class=\"badge good\">every run valid</span>"
            : "<span class=\"badge bad\">not all runs are valid</span>");
    out.append("</div><ul class=\"notes\">");
    report.notes().forEach(note -> out.append("<li>").append(Markup.text(note)).append("</li>"));
    out.append("</ul>");
    for (Result result : report.results()) {
      for (String problem : result.problems()) {
        out.append("<p class=\"bad\">");
        out.append(Markup.text(result.title() + ", " + result.mode() + ": " + problem));
        out.append("</p>");
      }
    }
  }

  private void section(String title, String note) {
    out.append("<section><h2>").append(Markup.text(title)).append("</h2><p class=\"note\">");
    out.append(Markup.text(note)).append("</p>");
  }

  private void targets() {
    if (report.targets().isEmpty()) {
      return;
    }
    section("Targets", "Goals that Millpond has set itself for a machine of two cores.");
    List<String> modes = report.targets().stream().map(Target::mode).distinct().toList();
    out.append("<div class=\"scroll\"><table><tr><th class=\"left\">what</th><th>goal</th>");
    modes.forEach(mode -> out.append("<th>").append(Markup.text(modeName(mode))).append("</th>"));
    out.append("</tr>");
    Map<String, List<Target>> goals =
        report.targets().stream()
            .collect(
                Collectors.groupingBy(
                    target -> target.what() + target.goal(),
                    LinkedHashMap::new,
                    Collectors.toList()));
    goals
        .values()
        .forEach(same -> {
          Target first = same.getFirst();
          out.append("<tr><td class=\"left\">").append(Markup.text(first.what()));
          out.append("</td><td>").append(Markup.text(first.goal())).append("</td>");
          modes.forEach(mode -> out.append("<td>").append(reached(same, mode)).append("</td>"));
          out.append("</tr>");
        });
    out.append("</table></div></section>");
  }

  private static String reached(List<Target> goal, String mode) {
    return goal.stream()
        .filter(target -> target.mode().equals(mode))
        .findFirst()
        .map(target ->
            Markup.text(target.reached())
                + (target.met() ? " <b class=\"good\">met</b>" : " <b class=\"bad\">missed</b>"))
        .orElse("–");
  }

  /** Modes are Millpond's; others are peers. */
  private static String modeColour(String mode) {
    if (mode.equals("streams") || mode.equals("postgres")) {
      return mode;
    }
    return mode.startsWith("JobRunr") ? "worker" : "server";
  }

  private static String modeName(String mode) {
    return mode.equals("postgres") ? "PostgreSQL only" : mode;
  }

  private void rates() {
    List<Result> shown =
        results(result -> result.idle() == null && (result.latency() == null || !trickle(result)));
    if (shown.isEmpty()) {
      return;
    }
    Map<String, Double> ceilings =
        report.ceilings().stream()
            .collect(Collectors.toMap(Ceiling::name, Ceiling::jobsPerSecond, Math::max));
    double most =
        shown.stream()
            .mapToDouble(result -> Math.max(result.jobsPerSecond(), ceiling(result, ceilings)))
            .max()
            .orElse(1);
    section(
        "Jobs a second",
        "Acknowledged (submit, http) or completed. The mark is what the bare SQL statements reach"
            + " on one connection of the same PostgreSQL, in flushes of the same size; for one job"
            + " a request it is an empty Spring Boot endpoint.");
    out.append("<div class=\"legend\">").append(modesLegend());
    out.append(
        "<span><i class=\"tick\" style=\"background:var(--mark)\"></i>bare statements, or empty"
            + " endpoint</span>");
    out.append("</div>");
    rows(
        shown,
        result -> {
          double ceiling = ceiling(result, ceilings);
          return bar(
              List.of(new Part(modeColour(result.mode()), result.jobsPerSecond(), result.mode())),
              most,
              ceiling);
        },
        result ->
            Markup.number("%,.0f", result.jobsPerSecond())
                + (result.ofCeiling() == null
                    ? ""
                    : " <small>"
                        + Markup.number("%.2f", result.ofCeiling())
                        + " of "
                        + ceilingName(result)
                        + "</small>"));
    out.append("</section>");
  }

  private static double ceiling(Result result, Map<String, Double> ceilings) {
    String name = result.ceiling();
    Double known = name == null ? null : ceilings.get(name);
    if (known != null) {
      return known;
    }
    Double ratio = result.ofCeiling();
    return ratio == null || ratio <= 0 ? 0 : result.jobsPerSecond() / ratio;
  }

  /** Its first words, without how it was measured. */
  private static String ceilingName(Result result) {
    String name = result.ceiling();
    return name == null ? "bare" : Markup.text(name.split(",", 2)[0]);
  }

  private static boolean trickle(Result result) {
    return result.jobsPerSecond() < FULL_SPEED
        && (result.scenario().equals("latency") || result.scenario().equals("mixed"));
  }

  private void latencies() {
    List<Result> shown =
        results(each -> each.latency() != null && !SAME_LATENCY.contains(each.scenario()));
    if (shown.isEmpty()) {
      return;
    }
    section(
        "Latency",
        "From p50 over p95 (mark) to p99, milliseconds, each division ten times the one before."
            + " Submit and end to end: from the call to its acknowledgement under full load;"
            + " latency and mixed: from the call to the handler.");
    out.append("<div class=\"legend\">").append(modesLegend()).append("</div>");
    out.append("<div class=\"rows\"><div></div><div class=\"scale\">");
    List.of("0.1 ms", "1", "10", "100", "1 s")
        .forEach(tick -> out.append("<span>").append(tick).append("</span>"));
    out.append("</div><div></div></div>");
    double least = 0.1;
    double most = 10_000;
    rows(
        shown,
        result -> {
          Latency latency = Objects.requireNonNull(result.latency());
          return range(modeColour(result.mode()), latency, least, most);
        },
        result -> {
          Latency latency = Objects.requireNonNull(result.latency());
          return millis(latency.p50Millis())
              + " / "
              + millis(latency.p95Millis())
              + " / "
              + millis(latency.p99Millis())
              + " <small>ms</small>";
        });
    out.append("</section>");
  }

  private static String millis(double value) {
    return Markup.number(value < 10 ? "%.2f" : "%.0f", value);
  }

  private static String range(String colour, Latency latency, double least, double most) {
    String from = log(latency.p50Millis(), least, most);
    String middle = log(latency.p95Millis(), least, most);
    double width =
        Math.max(
            0.6,
            Double.parseDouble(log(latency.p99Millis(), least, most)) - Double.parseDouble(from));
    return String.format(
        Locale.ROOT,
        "<div class=\"bar decades\"><b style=\"margin-left:%s%%;width:%.2f%%;border-radius:3px;"
            + "background:var(--%s)\"></b><u style=\"left:%s%%\"></u></div>",
        from,
        width,
        colour,
        middle);
  }

  private static String log(double value, double least, double most) {
    double part = Math.log(Math.max(value, least) / least) / Math.log(most / least);
    return String.format(Locale.ROOT, "%.2f", Math.clamp(part, 0, 1) * 100);
  }

  private void costs() {
    List<Result> shown =
        results(result -> result.jobsPerSecond() >= FULL_SPEED && !trickle(result));
    if (shown.isEmpty()) {
      return;
    }
    double most = shown.stream().mapToDouble(HtmlPage::cpu).max().orElse(1);
    section("CPU", "Seconds of CPU for 10,000 jobs, by process; at full speed only.");
    List<String> roles = roles(shown);
    out.append("<div class=\"legend\">");
    roles.forEach(role -> out.append(Markup.legend(colour(role), role)));
    out.append("</div>");
    rows(
        shown,
        result -> {
          List<Part> parts = new ArrayList<>();
          roles.forEach(role -> {
            Double seconds = result.cpuSecondsPer10k().get(role);
            if (seconds != null) {
              parts.add(new Part(colour(role), seconds, role));
            }
          });
          return bar(parts, most, 0);
        },
        result -> Markup.number("%.3f", cpu(result)) + " <small>" + result.mode() + "</small>");
    out.append("</section>");
  }

  /** Those of whom there are figures. */
  private static List<String> roles(List<Result> results) {
    return Arrays.stream(Role.values())
        .map(Role::label)
        .filter(
            role -> results.stream().anyMatch(each -> each.cpuSecondsPer10k().containsKey(role)))
        .toList();
  }

  private static String colour(String role) {
    return role.equals(Role.POSTGRES.label()) ? "postgresql" : role;
  }

  private static double cpu(Result result) {
    return result.cpuSecondsPer10k().values().stream().mapToDouble(Double::doubleValue).sum();
  }

  /** What changes with the time, or with how much is waiting. */
  private void courses() {
    StringBuilder charts = new StringBuilder();
    List<Result> backlog =
        results(
            result -> result.scenario().equals("backlog") && result.label().endsWith(" waiting"));
    List<String> labels =
        backlog.stream().map(Result::label).distinct().map(l -> l.split(" ", 2)[0]).toList();
    if (labels.size() > 1) {
      LineChart chart = new LineChart("jobs waiting", labels);
      byMode(backlog)
          .forEach((mode, results) -> {
            List<Point> points = new ArrayList<>();
            results.forEach(each ->
                points.add(
                    new Point(
                        labels.indexOf(each.label().split(" ", 2)[0]), each.jobsPerSecond())));
            chart.add(mode, mode, false, points);
          });
      charts.append(chart.html("End to end, jobs/s, while others wait"));
    }
    backlog.stream()
        .filter(each -> !each.series().isEmpty() && each.series().getFirst().points().size() > 2)
        .reduce((first, last) -> last)
        .ifPresent(last -> charts.append(compared(backlog, last.label(), "submits/s")));
    for (String name : List.of("jobs/s", "dead tuples")) {
      charts.append(pinned(name));
    }
    if (charts.length() > 0) {
      section(
          "In the course of time",
          "Does it get slower when much is waiting, or while a forgotten transaction keeps the dead"
              + " row versions from being removed?");
      out.append("<div class=\"charts\">").append(charts).append("</div></section>");
    }
  }

  private static String compared(List<Result> backlog, String label, String name) {
    LineChart chart = new LineChart("jobs waiting", List.of());
    backlog.stream()
        .filter(each -> each.label().equals(label))
        .forEach(each -> chart.add(each.mode(), each.mode(), false, points(each, name)));
    return chart.html("Submits a second while the backlog grows");
  }

  private String pinned(String name) {
    List<Result> snapshot = results(result -> result.scenario().equals("snapshot"));
    if (snapshot.isEmpty()) {
      return "";
    }
    LineChart chart = new LineChart("seconds", List.of());
    snapshot.forEach(each ->
        chart.add(
            each.mode() + ", " + each.label(),
            each.mode(),
            each.label().equals("pinned"),
            points(each, name)));
    return chart.html(
        name.equals("jobs/s") ? "End to end, jobs/s, snapshot pinned or not" : "Dead row versions");
  }

  private static List<Point> points(Result result, String name) {
    return result.series().stream()
        .filter(series -> series.name().equals(name))
        .findFirst()
        .map(Series::points)
        .orElse(List.of());
  }

  private void idle() {
    List<Result> shown = results(result -> result.idle() != null);
    if (!shown.isEmpty()) {
      section("Idle", "A server with nothing to do; CPU in percent of one core.");
      out.append(IdleSection.table(shown)).append("</section>");
    }
  }

  private void table() {
    section("All figures", "Latency in ms, CPU in seconds per 10,000 jobs, the rest per job.");
    List<String> roles = roles(report.results());
    List<String> names =
        new ArrayList<>(List.of("jobs", "jobs/s", "of bare", "p50", "p95", "p99", "max"));
    roles.forEach(role -> names.add("CPU " + role));
    names.addAll(List.of("WAL bytes", "commits", "SQL", "Redis", "dead", "RSS MB", ""));
    out.append("<div class=\"scroll\"><table><tr><th class=\"left\">scenario</th>");
    out.append("<th class=\"left\">mode</th>");
    names.forEach(name -> out.append("<th>").append(name).append("</th>"));
    out.append("</tr>");
    report.results().stream()
        .filter(result -> result.idle() == null || !result.valid())
        .forEach(result -> row(result, roles));
    out.append("</table></div></section>");
  }

  private void row(Result result, List<String> roles) {
    Latency latency = result.latency();
    List<String> cells = new ArrayList<>();
    cells.add(String.format(Locale.ROOT, "%,d", result.jobs()));
    cells.add(Markup.number("%,.0f", result.jobsPerSecond()));
    cells.add(Markup.number("%.2f", result.ofCeiling()));
    cells.add(Markup.number("%.2f", latency == null ? null : latency.p50Millis()));
    cells.add(Markup.number("%.2f", latency == null ? null : latency.p95Millis()));
    cells.add(Markup.number("%.2f", latency == null ? null : latency.p99Millis()));
    cells.add(Markup.number("%.2f", latency == null ? null : latency.maxMillis()));
    roles.forEach(role -> cells.add(Markup.number("%.3f", result.cpuSecondsPer10k().get(role))));
    cells.add(Markup.number("%.0f", result.walBytesPerJob()));
    cells.add(Markup.number("%.4f", result.commitsPerJob()));
    cells.add(Markup.number("%.3f", result.statementsPerJob()));
    cells.add(Markup.number("%.3f", result.redisCommandsPerJob()));
    cells.add(Markup.number("%.3f", result.deadTuplesPerJob()));
    cells.add(memory(result));
    out.append("<tr><td class=\"left\">").append(Markup.text(result.title()));
    out.append("</td><td class=\"left\">").append(Markup.text(result.mode())).append("</td>");
    cells.forEach(cell -> out.append("<td>").append(Markup.text(cell)).append("</td>"));
    out.append(result.valid() ? "<td class=\"good\">ok</td>" : "<td class=\"bad\">invalid</td>");
    out.append("</tr>");
  }

  private static String memory(Result result) {
    return result.memory().entrySet().stream()
        .map(each -> {
          Memory memory = each.getValue();
          return (result.memory().size() > 1 ? each.getKey() + " " : "")
              + Markup.number("%.0f", memory.startMegabytes())
              + Markup.number(" → %.0f", memory.endMegabytes());
        })
        .collect(Collectors.joining(", "));
  }

  private record Part(String colour, double value, String name) {}

  private static String bar(List<Part> parts, double most, double mark) {
    StringBuilder bar = new StringBuilder("<div class=\"bar\">");
    for (Part part : parts) {
      bar.append("<b title=\"").append(Markup.text(part.name)).append(' ');
      bar.append(Markup.number(part.value < 10 ? "%.3f" : "%,.0f", part.value));
      bar.append("\" style=\"width:").append(Markup.percent(part.value, most));
      bar.append(";background:var(--").append(part.colour).append(")\"></b>");
    }
    if (mark > 0) {
      bar.append("<u style=\"left:").append(Markup.percent(mark, most)).append("\"></u>");
    }
    return bar.append("</div>").toString();
  }

  /** Lines of a chart: those of one scenario together. */
  private void rows(
      List<Result> results, Function<Result, String> chart, Function<Result, String> value) {
    Map<String, List<Result>> byTitle = new LinkedHashMap<>();
    results.forEach(
        each -> byTitle.computeIfAbsent(each.title(), title -> new ArrayList<>()).add(each));
    out.append("<div class=\"rows\">");
    byTitle.forEach((title, same) -> {
      out.append("<div class=\"name\" style=\"--span:").append(same.size()).append("\">");
      out.append(Markup.text(title)).append("</div>");
      for (Result result : same) {
        out.append(chart.apply(result)).append("<div class=\"value\">");
        out.append(value.apply(result)).append("</div>");
      }
      out.append("<div class=\"end\"></div>");
    });
    out.append("</div>");
  }

  private String modesLegend() {
    return byMode(report.results()).keySet().stream()
        .map(mode -> Markup.legend(modeColour(mode), modeName(mode)))
        .collect(Collectors.joining());
  }

  private static Map<String, List<Result>> byMode(List<Result> results) {
    return results.stream()
        .collect(Collectors.groupingBy(Result::mode, LinkedHashMap::new, Collectors.toList()));
  }

  private List<Result> results(Predicate<Result> which) {
    return report.results().stream().filter(which).toList();
  }
}
