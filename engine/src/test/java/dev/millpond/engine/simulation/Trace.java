package dev.millpond.engine.simulation;

import java.util.ArrayDeque;
import java.util.Collection;
import java.util.function.Supplier;

/** What happened last. Texts are made only once somebody asks for them. */
final class Trace {
  /** Steps kept. */
  private static final int LAST = 4_000;

  private record Line(long step, long at, Supplier<String> text) {}

  private final World world;
  private final ArrayDeque<Line> lines = new ArrayDeque<>();

  Trace(World world) {
    this.world = world;
  }

  void add(String text) {
    add(() -> text);
  }

  void add(Supplier<String> text) {
    if (lines.size() == LAST) {
      lines.removeFirst();
    }
    lines.addLast(new Line(world.steps, world.now, text));
  }

  void tx(String name, Collection<Integer> jobs) {
    if (!jobs.isEmpty()) {
      StringBuilder rows = new StringBuilder();
      for (int job : jobs) {
        rows.append("; ").append(world.checks.describe(job));
      }
      add(() -> "COMMIT " + name + rows);
    }
  }

  /** The last lines that name one of the jobs, or no job. */
  String of(int[] jobs, int most) {
    ArrayDeque<String> found = new ArrayDeque<>();
    for (Line line : lines.reversed()) {
      String text = line.text.get();
      if (found.size() < most && concerns(text, jobs)) {
        found.addFirst(String.format("%8d %7d ms  %s%n", line.step, line.at, text));
      }
    }
    return String.join("", found);
  }

  private static boolean concerns(String text, int[] jobs) {
    if (jobs.length == 0 || (!text.contains("job ") && !text.contains("["))) {
      return true;
    }
    for (int job : jobs) {
      if (text.matches("(?s).*(job |[\\[ ])" + job + "([,\\]: ].*|$)")) {
        return true;
      }
    }
    return false;
  }
}
