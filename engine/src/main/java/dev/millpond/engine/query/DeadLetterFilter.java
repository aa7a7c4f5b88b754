package dev.millpond.engine.query;

import java.time.Instant;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Which dead letters; null means any.
 *
 * @param tag one of the job's tags
 * @param since earliest instant at which the job died
 * @param until instant before which the job died
 * @param error is within the type or message of the error, in any case of letters
 * @param within only those of these queues, whatever else is asked for; empty for all queues
 */
public record DeadLetterFilter(
    @Nullable String queue,
    @Nullable String kind,
    @Nullable String tag,
    @Nullable Instant since,
    @Nullable Instant until,
    @Nullable String error,
    Set<String> within) {

  public static final DeadLetterFilter ALL =
      new DeadLetterFilter(null, null, null, null, null, null, Set.of());

  /**
   * Checks the values.
   *
   * @throws InvalidFilterException naming the one that is out of its range
   */
  public DeadLetterFilter {
    within = Set.copyOf(within);
    FilterRules.name("queue", queue);
    FilterRules.name("kind", kind);
    FilterRules.name("tag", tag);
    FilterRules.range(since, until);
    FilterRules.text("error", error);
  }

  public DeadLetterFilter withQueue(String value) {
    return new DeadLetterFilter(value, kind, tag, since, until, error, within);
  }

  public DeadLetterFilter withKind(String value) {
    return new DeadLetterFilter(queue, value, tag, since, until, error, within);
  }

  public DeadLetterFilter withTag(String value) {
    return new DeadLetterFilter(queue, kind, value, since, until, error, within);
  }

  public DeadLetterFilter withSince(Instant value) {
    return new DeadLetterFilter(queue, kind, tag, value, until, error, within);
  }

  public DeadLetterFilter withUntil(Instant value) {
    return new DeadLetterFilter(queue, kind, tag, since, value, error, within);
  }

  public DeadLetterFilter withError(String value) {
    return new DeadLetterFilter(queue, kind, tag, since, until, value, within);
  }

  /** With a bound on the queues; empty for none. */
  public DeadLetterFilter withWithin(Set<String> queues) {
    return new DeadLetterFilter(queue, kind, tag, since, until, error, queues);
  }

  /** What is asked for, in words; {@code all} for everything. */
  public String text() {
    String text =
        Stream.of(
                word("queue", queue),
                word("kind", kind),
                word("tag", tag),
                word("since", since),
                word("until", until),
                word("error", error),
                within.isEmpty() ? null : "queues=" + within.stream().sorted().toList())
            .filter(Objects::nonNull)
            .collect(Collectors.joining(" "));
    return text.isEmpty() ? "all" : text;
  }

  private static @Nullable String word(String name, @Nullable Object value) {
    return value == null ? null : name + '=' + value;
  }
}
