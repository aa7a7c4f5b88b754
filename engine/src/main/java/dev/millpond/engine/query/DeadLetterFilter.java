package dev.millpond.engine.query;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Which dead letters; null means any.
 *
 * @param tag one of the job's tags
 * @param since earliest instant at which the job died
 * @param until instant before which the job died
 * @param error is within the type or message of the error, in any case of letters
 */
public record DeadLetterFilter(
    @Nullable String queue,
    @Nullable String kind,
    @Nullable String tag,
    @Nullable Instant since,
    @Nullable Instant until,
    @Nullable String error) {

  public static final DeadLetterFilter ALL =
      new DeadLetterFilter(null, null, null, null, null, null);

  /**
   * Checks the values.
   *
   * @throws InvalidFilterException naming the one that is out of its range
   */
  public DeadLetterFilter {
    FilterRules.name("queue", queue);
    FilterRules.name("kind", kind);
    FilterRules.name("tag", tag);
    FilterRules.range(since, until);
    FilterRules.text("error", error);
  }

  public DeadLetterFilter withQueue(String value) {
    return new DeadLetterFilter(value, kind, tag, since, until, error);
  }

  public DeadLetterFilter withKind(String value) {
    return new DeadLetterFilter(queue, value, tag, since, until, error);
  }

  public DeadLetterFilter withTag(String value) {
    return new DeadLetterFilter(queue, kind, value, since, until, error);
  }

  public DeadLetterFilter withSince(Instant value) {
    return new DeadLetterFilter(queue, kind, tag, value, until, error);
  }

  public DeadLetterFilter withUntil(Instant value) {
    return new DeadLetterFilter(queue, kind, tag, since, value, error);
  }

  public DeadLetterFilter withError(String value) {
    return new DeadLetterFilter(queue, kind, tag, since, until, value);
  }
}
