package dev.millpond.engine.query;

import java.time.Instant;
import java.util.List;
import java.util.UUID;

/**
 * What jobs died of: the newest dead letters, grouped.
 *
 * @param groups the largest first
 * @param whole whether all dead letters were looked at, not the newest alone
 */
public record DeadLetterGroups(List<Group> groups, boolean whole) {
  public DeadLetterGroups {
    groups = List.copyOf(groups);
  }

  /**
   * Dead letters of the same error: of one kind, one type of error, and messages that differ in
   * numbers, ids and quoted words alone.
   *
   * @param pattern the message with {@code #} in place of what differs
   * @param common the longest part of the message that all have, to search for; may be empty
   * @param newest the job that died last
   */
  public record Group(
      String kind,
      String errorType,
      String pattern,
      String common,
      long count,
      Instant first,
      Instant last,
      UUID newest) {}
}
