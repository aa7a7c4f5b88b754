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
 */
public record JobFilter(
    @Nullable String queue,
    @Nullable String kind,
    Set<JobState> states,
    @Nullable String tag,
    @Nullable Instant since,
    @Nullable Instant until,
    @Nullable String error,
    @Nullable String payload) {

  public static final JobFilter ALL =
      new JobFilter(null, null, Set.of(), null, null, null, null, null);

  /**
   * Checks the values, but for the syntax of the path.
   *
   * @throws InvalidFilterException naming the one that is out of its range
   */
  public JobFilter {
    states = Set.copyOf(states);
    FilterRules.name("queue", queue);
    FilterRules.name("kind", kind);
    FilterRules.name("tag", tag);
    FilterRules.range(since, until);
    FilterRules.text("error", error);
    FilterRules.text("payload", payload);
  }

  public JobFilter withQueue(String value) {
    return new JobFilter(value, kind, states, tag, since, until, error, payload);
  }

  public JobFilter withKind(String value) {
    return new JobFilter(queue, value, states, tag, since, until, error, payload);
  }

  public JobFilter withStates(JobState... values) {
    return new JobFilter(queue, kind, Set.of(values), tag, since, until, error, payload);
  }

  public JobFilter withTag(String value) {
    return new JobFilter(queue, kind, states, value, since, until, error, payload);
  }

  public JobFilter withSince(Instant value) {
    return new JobFilter(queue, kind, states, tag, value, until, error, payload);
  }

  public JobFilter withUntil(Instant value) {
    return new JobFilter(queue, kind, states, tag, since, value, error, payload);
  }

  public JobFilter withError(String value) {
    return new JobFilter(queue, kind, states, tag, since, until, value, payload);
  }

  public JobFilter withPayload(String path) {
    return new JobFilter(queue, kind, states, tag, since, until, error, path);
  }
}
