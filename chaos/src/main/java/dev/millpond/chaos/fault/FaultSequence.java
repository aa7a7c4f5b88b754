package dev.millpond.chaos.fault;

import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;

/**
 * The faults of a seed, by number: the same seed, kinds and ground give the same ones, whichever
 * are asked for and in whatever order. Immutable.
 */
public final class FaultSequence {
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  private final long seed;
  private final List<FaultKind> kinds;
  private final FaultKind.Ground ground;
  private final Duration leastGap;
  private final Duration gap;

  /**
   * The sequence of a seed.
   *
   * @param kinds to draw from, all as likely
   * @param leastGap least of the pause before a fault
   * @param gap most of it
   */
  public FaultSequence(
      long seed, List<FaultKind> kinds, FaultKind.Ground ground, Duration leastGap, Duration gap) {
    if (kinds.isEmpty()) {
      throw new IllegalArgumentException("no kinds of faults to draw from");
    }
    this.seed = seed;
    this.kinds = List.copyOf(kinds);
    this.ground = ground;
    this.leastGap = leastGap;
    this.gap = gap;
  }

  /**
   * A fault in its place.
   *
   * @param number from 0
   * @param pause after the strike before it
   */
  public record Drawn(int number, FaultKind kind, Duration pause, Fault fault) {}

  /**
   * Split off, since its numbers would else be those of the next fault, one later: both step by the
   * same constant.
   */
  private SplittableRandom dice(int number) {
    return new SplittableRandom(seed + GOLDEN * (number + 1L)).split();
  }

  /** The fault of this number, new at each call. */
  public Drawn draw(int number) {
    SplittableRandom dice = dice(number);
    FaultKind kind = kinds.get(dice.nextInt(kinds.size()));
    Duration pause = leastGap.plusMillis(dice.nextLong(gap.toMillis() - leastGap.toMillis() + 1));
    return new Drawn(number, kind, pause, kind.draw(dice, ground));
  }
}
