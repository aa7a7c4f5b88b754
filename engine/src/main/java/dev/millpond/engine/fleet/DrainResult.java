package dev.millpond.engine.fleet;

import java.util.UUID;

/** What came of asking a worker to drain, or to take jobs again. */
public sealed interface DrainResult {
  /** It is told within a settle time, a second by default. */
  record Asked(WorkerView worker) implements DrainResult {}

  /** It was fenced: it takes nothing, and its process comes back as another session, if at all. */
  record Lost(UUID id) implements DrainResult {}

  /** There is no such worker. */
  record Unknown(UUID id) implements DrainResult {}
}
