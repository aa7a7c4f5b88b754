package dev.millpond.chaos.fault;

import java.util.HashSet;
import java.util.Set;
import java.util.UUID;

/**
 * Jobs in the hands of what a fault is about to strike.
 *
 * @param jobs those known by id
 * @param others jobs in requests that have no answer yet, and those of which only the number is
 *     known
 */
public record Hit(Set<UUID> jobs, long others) {
  /** Of nothing. */
  public static final Hit NONE = new Hit(Set.of(), 0);

  public Hit {
    jobs = Set.copyOf(jobs);
  }

  public long count() {
    return jobs.size() + others;
  }

  /** Both together. */
  public Hit and(Hit other) {
    Set<UUID> all = new HashSet<>(jobs);
    all.addAll(other.jobs);
    return new Hit(all, others + other.others);
  }
}
