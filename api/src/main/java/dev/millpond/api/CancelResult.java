package dev.millpond.api;

/** What a cancellation did. */
public sealed interface CancelResult {
  /** The job was waiting and has ended as {@code cancelled}. */
  record Cancelled() implements CancelResult {}

  /** The job runs, or may have started; its worker has been told to stop it. */
  record Requested() implements CancelResult {}

  /** The job is in a state that cannot be cancelled; nothing changed. */
  record WrongState(JobState state) implements CancelResult {}

  /** There is no such job. */
  record NotFound() implements CancelResult {}
}
