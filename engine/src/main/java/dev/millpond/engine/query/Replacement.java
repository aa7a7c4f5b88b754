package dev.millpond.engine.query;

import dev.millpond.api.JobState;
import java.util.UUID;

/** What became of a dead job that was to be replaced by an edited one. */
public sealed interface Replacement {
  /** The dead job has ended as {@code cancelled}; the new job runs in its place. */
  record Replaced(UUID newId) implements Replacement {}

  /** The job is not dead; nothing changed. */
  record WrongState(JobState state) implements Replacement {}

  /** There is no such job. */
  record NotFound() implements Replacement {}
}
