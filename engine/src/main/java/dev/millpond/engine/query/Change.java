package dev.millpond.engine.query;

import dev.millpond.api.JobRequest.Start;
import org.jspecify.annotations.Nullable;

/**
 * What is to be changed of a job that has not started; null leaves it as it is.
 *
 * @param start when it may run
 */
public record Change(@Nullable String priorityClass, @Nullable Start start) {
  public Change {
    if (priorityClass == null && start == null) {
      throw new IllegalArgumentException("nothing to change");
    }
  }

  public static Change runAt(Start start) {
    return new Change(null, start);
  }

  public static Change priorityClass(String priorityClass) {
    return new Change(priorityClass, null);
  }
}
