package dev.millpond.api;

/** What a change of a job's run time or priority class did. */
public sealed interface SteerResult {
  /** The job is as it was asked for. */
  record Done() implements SteerResult {}

  /** The job is in a state in which that cannot be changed; nothing changed. */
  record WrongState(JobState state) implements SteerResult {}

  /** The job is on its way: a worker may have it already. Nothing changed. */
  record OnItsWay() implements SteerResult {}

  /** There is no such job. */
  record NotFound() implements SteerResult {}
}
