package dev.millpond.chaos.campaign;

import java.util.Locale;

/**
 * Something that must not be.
 *
 * @param what of it, with numbers and ids
 */
public record Finding(Rule rule, String what) {
  /** What was broken. */
  public enum Rule {
    /** An acknowledged job is not there, or has not ended well. */
    LOST,
    /** A job that nobody asked for, or that was refused, or more of one than was asked for. */
    UNEXPECTED,
    /** An end was taken from an attempt whose job had been handed out anew. */
    STALE,
    /** One job had two effects or two ends. */
    DOUBLE,
    /** A job ran before its time. */
    EARLY,
    /** More jobs of a limited queue ran at once than its limit lets. */
    LIMIT,
    /** The books do not add up. */
    BOOKS,
    /** More extra runs than jobs in flight at the faults. */
    RUNS,
    /** A process or an answer was not as it has to be. */
    DEFECT;

    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }
}
