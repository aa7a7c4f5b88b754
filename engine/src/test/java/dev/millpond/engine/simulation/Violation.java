package dev.millpond.engine.simulation;

/** An invariant that does not hold, with what is needed to see it again. */
final class Violation extends RuntimeException {
  private static final long serialVersionUID = 1L;

  final String rule;

  /**
   * @param rule the invariant's name
   * @param jobs in question
   */
  Violation(String rule, String detail, int... jobs) {
    super(rule + ": " + detail);
    this.rule = rule;
    this.jobs = jobs.clone();
  }

  final int[] jobs;
}
