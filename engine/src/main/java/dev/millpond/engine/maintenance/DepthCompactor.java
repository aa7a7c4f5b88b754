package dev.millpond.engine.maintenance;

import dev.millpond.engine.maintenance.store.TidyStore;

/** Sums the depth deltas that flushes leave, so that reading a depth stays cheap. */
final class DepthCompactor {
  /** Rows summed. */
  record Result(int rows) {}

  private final Leadership leadership;

  DepthCompactor(Leadership leadership) {
    this.leadership = leadership;
  }

  Result runOnce() {
    return new Result(leadership.call(TidyStore::compactDepth));
  }
}
