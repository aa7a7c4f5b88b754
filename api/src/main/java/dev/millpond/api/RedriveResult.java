package dev.millpond.api;

/** What a redrive did. */
public sealed interface RedriveResult {
  /** The job is runnable again, at attempt 1. */
  record Redriven() implements RedriveResult {}

  /** Only a dead job can be redriven; nothing changed. */
  record WrongState(JobState state) implements RedriveResult {}

  /** There is no such job. */
  record NotFound() implements RedriveResult {}
}
