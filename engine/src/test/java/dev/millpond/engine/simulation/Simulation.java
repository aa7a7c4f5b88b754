package dev.millpond.engine.simulation;

import java.util.Set;
import java.util.TreeMap;

/** Plays seed after seed, until something does not hold or it has taken its steps. */
final class Simulation {
  private static final int TRACE = 60;

  /** What was played. */
  record Result(long seeds, long steps, TreeMap<String, Long> counts) {}

  private Simulation() {}

  /**
   * Plays from a seed on.
   *
   * @throws AssertionError with the seed, the step, what does not hold, and what happened before
   */
  static Result play(long firstSeed, long steps, Set<Bug> bugs) {
    long played = 0;
    long seed = firstSeed;
    TreeMap<String, Long> counts = new TreeMap<>();
    while (played < steps) {
      World world = new World(seed, bugs);
      try {
        world.play();
      } catch (Violation e) {
        throw new AssertionError(story(world, e), e);
      } catch (RuntimeException e) {
        throw new AssertionError("seed " + seed + ", step " + world.steps + ": " + e, e);
      }
      played += world.steps;
      world.checks.counts.forEach((what, n) -> counts.merge(what, n, Long::sum));
      seed++;
    }
    return new Result(seed - firstSeed, played, counts);
  }

  private static String story(World world, Violation e) {
    return """
    %s
    seed %d, step %d, bugs %s
    %s
    %s
    Again: -Dmillpond.sim.seed=%d\
    """
        .formatted(
            e.getMessage(),
            world.seed,
            world.steps,
            world.bugs,
            world.scenario,
            world.trace.of(e.jobs, TRACE),
            world.seed);
  }

  /** Steps as the first argument, a first seed as the second. */
  public static void main(String[] args) {
    long steps = args.length > 0 ? Long.parseLong(args[0]) : 1_000_000;
    long seed = args.length > 1 ? Long.parseLong(args[1]) : 1;
    Set<Bug> bugs = args.length > 2 ? Set.of(Bug.valueOf(args[2])) : Set.of();
    long started = System.nanoTime();
    Result result = play(seed, steps, bugs);
    double seconds = (System.nanoTime() - started) / 1e9;
    System.out.printf(
        "%d seeds, %d steps in %.1f s: %.0f steps/s%n%s%n",
        result.seeds(), result.steps(), seconds, result.steps() / seconds, result.counts());
  }
}
