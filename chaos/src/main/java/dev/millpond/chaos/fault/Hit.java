package dev.millpond.chaos.fault;

import java.util.HashSet;
import java.util.Set;
import java.util.UUID;

/**
 * Jobs in the hands of what a fault is about to strike.
 *
 * @param jobs those known by id
 * @param unanswered jobs in requests that have no answer yet
 */
public record Hit(Set<UUID> jobs, long unanswered) {
  /** Of nothing. */
  public static final Hit NONE = new Hit(Set.of(), 0);

  public Hit {
    jobs = Set.copyOf(jobs);
  }

  public long count() {
    return jobs.size() + unanswered;
  }

  /** Both together. */
  public Hit and(Hit other) {
    Set<UUID> all = new HashSet<>(jobs);
    all.addAll(other.jobs);
    return new Hit(all, unanswered + other.unanswered);
  }
}
