package dev.millpond.bench.scenario;

import java.util.List;

/**
 * How a figure went while a measurement ran.
 *
 * @param name of the figure
 * @param over what it is drawn over
 */
public record Series(String name, String over, List<Point> points) {
  /** One value. */
  public record Point(double x, double y) {}

  public Series {
    points = List.copyOf(points);
  }
}
