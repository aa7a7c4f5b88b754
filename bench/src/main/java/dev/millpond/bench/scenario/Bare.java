package dev.millpond.bench.scenario;

import dev.millpond.bench.scenario.RawCeiling.Part;

/**
 * Which bare statements a rate is compared with.
 *
 * @param rows jobs of a flush
 */
public record Bare(Part part, int rows) {
  /** For lists. */
  public static Bare lists(Part part) {
    return new Bare(part, Stage.LARGE_FLUSH);
  }

  /** For callers that submit one by one. */
  public static Bare callers(Part part) {
    return new Bare(part, Stage.SMALL_FLUSH);
  }

  /** How the figure is called. */
  String name(Mode mode) {
    return "%s, %d a flush, one connection (%s)"
        .formatted(
            part == Part.INSERT ? "insert" : "insert and complete", rows, "before " + mode.label());
  }
}
