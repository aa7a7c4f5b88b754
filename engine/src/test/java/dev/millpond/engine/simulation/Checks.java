package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.Rows.Dispatch;
import dev.millpond.engine.simulation.Rows.Outcome;
import dev.millpond.engine.simulation.Rows.Phase;
import dev.millpond.engine.simulation.Rows.State;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The invariants: after each commit those of the jobs that it touched, and at the end those of all.
 * Keeps, outside of the model's reach, what was once true of each job.
 */
final class Checks {
  /** What is known of a job. */
  private static final class Known {
    boolean accepted;
    boolean refused;
    boolean neverRuns;
    int token = 1;
    int redrives;
    @Nullable Outcome outcome;
    final Set<Long> runs = new HashSet<>();
  }

  private final World world;
  private final Map<Integer, Known> jobs = new TreeMap<>();
  final Map<String, Long> counts = new HashMap<>();

  Checks(World world) {
    this.world = world;
  }

  private Known of(int job) {
    return jobs.computeIfAbsent(job, j -> new Known());
  }

  void count(String what) {
    counts.merge(what, 1L, Long::sum);
  }

  void accepted(int job) {
    of(job).accepted = true;
    if (world.pg.job.committed(job) == null) {
      throw new Violation("accepted-and-lost", "job " + job + " was accepted and has no row", job);
    }
  }

  void refused(int job) {
    of(job).refused = true;
    if (world.pg.job.committed(job) != null) {
      throw new Violation("refused-and-there", "job " + job + " was refused and has a row", job);
    }
  }

  /** Somebody was told that it has ended without having started. Without faults that is so. */
  void neverRuns(int job) {
    of(job).neverRuns = true;
  }

  void redriven(int job) {
    of(job).redrives++;
  }

  /** A handler begins. Without faults it does so once for each attempt. */
  void runs(int job, int token, int attempt, Node node) {
    count("runs");
    world.trace.add(() -> node.name + " runs job " + job + " at token " + token);
    if (of(job).neverRuns && world.scenario.calm()) {
      throw new Violation("cancelled-and-runs", "job " + job + " at token " + token, job);
    }
    if (!of(job).runs.add((long) of(job).redrives << 32 | attempt) && world.scenario.calm()) {
      throw new Violation("ran-twice", "job " + job + ", attempt " + attempt, job);
    }
  }

  /** XDEL and XACK by the one that had claimed the batch: its row must be gone (R3, R5). */
  void acks(Rows.Batch batch) {
    if (world.pg.dispatch.committed(batch.id()) != null) {
      throw new Violation("acked-before-commit", batch + " is still on its way", batch.jobs());
    }
  }

  /** Looks at what a commit has touched. */
  void committed(String by, Collection<Integer> touched) {
    for (int job : touched) {
      look(by, job);
    }
  }

  private void look(String by, int job) {
    Known known = of(job);
    Outcome outcome = world.pg.outcome.committed(job);
    State state = world.pg.state.committed(job);
    boolean letter = world.pg.deadLetter.committed(job) != null;
    if (world.pg.job.committed(job) == null) {
      throw violation("unknown-job", by, job);
    }
    if (known.outcome != null && !known.outcome.equals(outcome)) {
      throw violation("outcome-changed", by, job);
    }
    if (outcome != null && known.outcome == null) {
      known.outcome = outcome;
      count(outcome.succeeded() ? "succeeded" : "cancelled");
      if (outcome.token() != known.token) {
        throw violation("stale-end", by, job);
      }
    }
    if (letter != (state != null && state.phase() == Phase.DEAD)) {
      throw violation("dead-letter", by, job);
    }
    if (outcome != null) {
      if (state != null && (state.phase() == Phase.RUNNING || state.phase() == Phase.DEAD)) {
        throw violation("ended-and-" + state.phase(), by, job);
      }
      return;
    }
    int token = Pg.token(state);
    if (token < known.token) {
      throw violation("token-falls", by, job);
    }
    known.token = token;
    int holders = rowsAt(job, token);
    boolean off = state != null && state.phase() != Phase.RUNNABLE;
    if (off && holders > 0) {
      throw violation("held-and-off", by, job);
    }
    if (!off && holders != 1) {
      throw violation(holders == 0 ? "lost" : "two-holders", by, job);
    }
  }

  private int rowsAt(int job, int token) {
    int rows = 0;
    for (Table.Row<Dispatch> row : world.pg.dispatch.rows.values()) {
      if (row.committed != null && row.committed.batch().names(job, token)) {
        rows++;
      }
    }
    return rows;
  }

  private Violation violation(String rule, String by, int job) {
    return new Violation(rule, "after " + by + ": " + describe(job), job);
  }

  /** All rows of a job. */
  String describe(int job) {
    StringBuilder text = new StringBuilder("job " + job);
    Outcome outcome = world.pg.outcome.committed(job);
    State state = world.pg.state.committed(job);
    if (outcome != null) {
      text.append(outcome.succeeded() ? " succeeded@" : " cancelled@").append(outcome.token());
    }
    if (state != null) {
      text.append(' ').append(state.phase()).append('@').append(state.token());
      text.append(state.session() == Rows.NOBODY ? "" : " by s" + state.session());
    }
    for (Table.Row<Dispatch> row : world.pg.dispatch.rows.values()) {
      Dispatch d = row.committed;
      if (d != null) {
        for (int i = 0; i < d.batch().jobs().length; i++) {
          if (d.batch().jobs()[i] == job) {
            text.append(" in d").append(d.batch().id()).append('@').append(d.batch().tokens()[i]);
            text.append(
                d.waits()
                    ? " waiting"
                    : d.claimedBy() == Rows.NOBODY ? " sent" : " claimed by s" + d.claimedBy());
          }
        }
      }
    }
    return text.toString();
  }

  /** Whether nothing is left to do: what was accepted has ended or is dead, and nothing is over. */
  boolean quiet() {
    if (!world.pg.dispatch.isEmpty() || !world.redis.isEmpty()) {
      return false;
    }
    for (Table.Row<State> row : world.pg.state.rows.values()) {
      if (row.committed != null && row.committed.phase() != Phase.DEAD) {
        return false;
      }
    }
    return firstOpen() == 0;
  }

  private int firstOpen() {
    for (Map.Entry<Integer, Known> job : jobs.entrySet()) {
      int id = job.getKey();
      if (world.pg.job.committed(id) != null
          && world.pg.outcome.committed(id) == null
          && world.pg.deadLetter.committed(id) == null) {
        return id;
      }
    }
    return 0;
  }

  void end() {
    jobs.forEach((id, known) -> {
      if (known.accepted && world.pg.job.committed(id) == null) {
        throw violation("accepted-and-lost", "the end", id);
      }
      if (known.refused && world.pg.job.committed(id) != null) {
        throw violation("refused-and-there", "the end", id);
      }
      if (world.pg.job.committed(id) != null) {
        look("the end", id);
      }
    });
  }

  void notQuiet() {
    int job = firstOpen();
    if (job == 0) {
      for (Dispatch row : world.pg.dispatch.rows.values().stream().map(r -> r.committed).toList()) {
        if (row != null) {
          throw new Violation("left-over", "dispatch row " + row.batch(), row.batch().jobs());
        }
      }
      throw new Violation(
          "left-over",
          "states "
              + world.pg.state.keys()
              + ", stream "
              + (world.redis.isEmpty() ? "empty" : "not empty"));
    }
    throw violation("not-ended", "the faults", job);
  }
}
