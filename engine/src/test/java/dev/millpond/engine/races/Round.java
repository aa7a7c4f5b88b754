package dev.millpond.engine.races;

import dev.millpond.engine.dispatch.Batch;
import java.util.UUID;

/**
 * One meeting, about a batch of two jobs that nobody else touches.
 *
 * @param number from 0 on, over all chunks of a race
 * @param batch as it was submitted, alone in its lane
 */
record Round(int number, Batch batch) {
  /** The job that both sides want. */
  UUID job() {
    return batch.jobIds()[0];
  }

  /** The one that travels with it. */
  UUID other() {
    return batch.jobIds()[1];
  }
}
