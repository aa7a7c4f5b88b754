package dev.millpond.bench.scenario;

/** How readily a scenario is run: each also in the runs of those below it. */
public enum Extent {
  /** In a run of under a minute. */
  QUICK,
  /** In a run of some minutes. */
  USUAL,
  /** Only when all are asked for, or this one by its name. */
  LONG
}
