package dev.millpond.bench.report;

import dev.millpond.bench.scenario.Series.Point;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/** Lines over a common axis, as SVG. The vertical axis begins at 0. Not thread-safe. */
final class LineChart {
  private static final int WIDTH = 480;
  private static final int HEIGHT = 210;
  private static final int LEFT = 48;
  private static final int RIGHT = 14;
  private static final int TOP = 10;
  private static final int BOTTOM = 34;
  private static final int GRID_LINES = 4;

  private final String over;
  private final List<String> labels;
  private final List<Line> lines = new ArrayList<>();

  private record Line(String name, String colour, boolean dashed, List<Point> points) {}

  /**
   * @param over what the horizontal axis is
   * @param labels of its places 0, 1, 2 …; none for an axis of numbers
   */
  LineChart(String over, List<String> labels) {
    this.over = over;
    this.labels = List.copyOf(labels);
  }

  void add(String name, String colour, boolean dashed, List<Point> points) {
    lines.add(new Line(name, colour, dashed, points));
  }

  /** The chart with its title and legend. */
  String html(String title) {
    double mostX = labels.isEmpty() ? most(Point::x) : Math.max(1, labels.size() - 1);
    double leastX = labels.isEmpty() ? least() : 0;
    double mostY = rounded(most(Point::y));
    StringBuilder svg = new StringBuilder();
    svg.append("<div><h3>").append(Markup.text(title)).append("</h3><svg viewBox=\"0 0 ");
    svg.append(WIDTH).append(' ').append(HEIGHT).append("\" role=\"img\" aria-label=\"");
    svg.append(Markup.text(title)).append("\">");
    for (int i = 0; i <= GRID_LINES; i++) {
      double y = mostY * i / GRID_LINES;
      double at = y(y, mostY);
      svg.append(
          String.format(
              Locale.ROOT,
              "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>",
              LEFT,
              WIDTH - RIGHT,
              at,
              at));
      svg.append(
          String.format(
              Locale.ROOT,
              "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>",
              LEFT - 6,
              at + 4,
              Markup.shortened(y)));
    }
    axis(svg, leastX, mostX);
    for (Line line : lines) {
      draw(svg, line, leastX, mostX, mostY);
    }
    svg.append("</svg><div class=\"legend\">");
    lines.forEach(line ->
        svg.append(Markup.legend(line.colour, line.name + (line.dashed ? " (dashed)" : ""))));
    return svg.append("</div></div>").toString();
  }

  private void axis(StringBuilder svg, double leastX, double mostX) {
    int places = labels.isEmpty() ? 5 : labels.size();
    for (int i = 0; i < places; i++) {
      double value = labels.isEmpty() ? leastX + (mostX - leastX) * i / (places - 1) : i;
      svg.append(
          String.format(
              Locale.ROOT,
              "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>",
              x(value, leastX, mostX),
              HEIGHT - 18,
              labels.isEmpty() ? Markup.shortened(Math.rint(value)) : Markup.text(labels.get(i))));
    }
    svg.append(
        String.format(
            Locale.ROOT,
            "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>",
            (LEFT + WIDTH - RIGHT) / 2,
            HEIGHT - 3,
            Markup.text(over)));
  }

  private static void draw(
      StringBuilder svg, Line line, double leastX, double mostX, double mostY) {
    svg.append("<polyline class=\"plot\" style=\"stroke:var(--").append(line.colour).append(")\"");
    svg.append(line.dashed ? " stroke-dasharray=\"5 4\"" : "").append(" points=\"");
    for (Point point : line.points) {
      svg.append(
          String.format(
              Locale.ROOT, "%.1f,%.1f ", x(point.x(), leastX, mostX), y(point.y(), mostY)));
    }
    svg.append("\"/>");
    for (Point point : line.points) {
      svg.append(
          String.format(
              Locale.ROOT,
              "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\" style=\"fill:var(--%s)\"><title>%s: %,.0f"
                  + "</title></circle>",
              x(point.x(), leastX, mostX),
              y(point.y(), mostY),
              line.colour,
              Markup.text(line.name),
              point.y()));
    }
  }

  private double most(ToDoubleFunction<Point> figure) {
    return lines.stream().flatMap(line -> line.points.stream()).mapToDouble(figure).max().orElse(1);
  }

  private double least() {
    return lines.stream()
        .flatMap(line -> line.points.stream())
        .mapToDouble(Point::x)
        .min()
        .orElse(0);
  }

  /** The next number above that has one digit, or one and a half. */
  static double rounded(double value) {
    if (value <= 0) {
      return 1;
    }
    double unit = Math.pow(10, Math.floor(Math.log10(value)));
    for (double step : new double[] {1, 1.5, 2, 3, 4, 5, 6, 8}) {
      if (value <= step * unit) {
        return step * unit;
      }
    }
    return 10 * unit;
  }

  private static double x(double value, double least, double most) {
    double part = most > least ? (value - least) / (most - least) : 0.5;
    return LEFT + 10 + part * (WIDTH - LEFT - RIGHT - 20);
  }

  private static double y(double value, double most) {
    return HEIGHT - BOTTOM - value / most * (HEIGHT - TOP - BOTTOM);
  }
}
