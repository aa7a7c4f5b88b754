package dev.millpond.engine.races;

import java.util.HashSet;
import java.util.Set;
import java.util.UUID;

/** What a side was told, in one round: what it may now believe of the jobs. */
final class Answer {
  /** In a word. */
  final String said;

  /** Jobs whose end at token 1 counted, by this side's session. */
  final Set<UUID> succeeded = new HashSet<>();

  /** Jobs that failed, or were given back, or run on tracked, at token 1. */
  final Set<UUID> written = new HashSet<>();

  /** Jobs of which nothing counted. */
  final Set<UUID> stale = new HashSet<>();

  /** Jobs that it began to run. */
  final Set<UUID> ran = new HashSet<>();

  /** Jobs that it took from their holder at token 1, and gave another. */
  final Set<UUID> rescued = new HashSet<>();

  long beganNanos;
  long endedNanos;

  Answer(String said) {
    this.said = said;
  }

  boolean overlaps(Answer other) {
    return Math.max(beganNanos, other.beganNanos) < Math.min(endedNanos, other.endedNanos);
  }

  @Override
  public String toString() {
    return said
        + " [succeeded "
        + succeeded
        + ", written "
        + written
        + ", stale "
        + stale
        + ", ran "
        + ran
        + ", rescued "
        + rescued
        + "]";
  }
}
