package dev.millpond.engine.query;

import dev.millpond.api.JobState;
import java.time.Instant;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which jobs; null means any.
 *
 * @param states one of these; empty means any
 * @param tag one of the job's tags
 * @param since earliest instant of creation, by the job's id
 * @param until instant before which the job was created, by its id
 * @param error is within the type or message of the last error, in any case of letters; a job that
 *     has succeeded has none
 * @param payload a PostgreSQL JSON path: a predicate such as {@code $.size > 5} must be true, any
 *     other path must find something
 * @param within only jobs of these queues, whatever else is asked for; empty for all queues
 */
public record JobFilter(
    @Nullable String queue,
    @Nullable String kind,
    Set<JobState> states,
    @Nullable String tag,
    @Nullable Instant since,
    @Nullable Instant until,
    @Nullable String error,
    @Nullable String payload,
    Set<String> within) {

  public static final JobFilter ALL =
      new JobFilter(null, null, Set.of(), null, null, null, null, null, Set.of());

  /**
   * Checks the values, but for the syntax of the path.
   *
   * @throws InvalidFilterException naming the one that is out of its range
   */
  public JobFilter {
    states = Set.copyOf(states);
    within = Set.copyOf(within);
    FilterRules.name("queue", queue);
    FilterRules.name("kind", kind);
    FilterRules.name("tag", tag);
    FilterRules.range(since, until);
    FilterRules.text("error", error);
    FilterRules.text("payload", payload);
  }

  public JobFilter withQueue(String value) {
    return new JobFilter(value, kind, states, tag, since, until, error, payload, within);
  }

  public JobFilter withKind(String value) {
    return new JobFilter(queue, value, states, tag, since, until, error, payload, within);
  }

  public JobFilter withStates(JobState... values) {
    return new JobFilter(queue, kind, Set.of(values), tag, since, until, error, payload, within);
  }

  public JobFilter withTag(String value) {
    return new JobFilter(queue, kind, states, value, since, until, error, payload, within);
  }

  public JobFilter withSince(Instant value) {
    return new JobFilter(queue, kind, states, tag, value, until, error, payload, within);
  }

  public JobFilter withUntil(Instant value) {
    return new JobFilter(queue, kind, states, tag, since, value, error, payload, within);
  }

  public JobFilter withError(String value) {
    return new JobFilter(queue, kind, states, tag, since, until, value, payload, within);
  }

  public JobFilter withPayload(String path) {
    return new JobFilter(queue, kind, states, tag, since, until, error, path, within);
  }

  /** With a bound on the queues; empty for none. */
  public JobFilter withWithin(Set<String> queues) {
    return new JobFilter(queue, kind, states, tag, since, until, error, payload, queues);
  }
}
