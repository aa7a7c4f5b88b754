package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.Keyed.Item;
import dev.millpond.engine.simulation.Keyed.Verdict;
import dev.millpond.engine.simulation.Rows.Beat;
import dev.millpond.engine.simulation.Rows.Dispatch;
import dev.millpond.engine.simulation.Rows.Job;
import dev.millpond.engine.simulation.Rows.KeyRow;
import dev.millpond.engine.simulation.Rows.Outcome;
import dev.millpond.engine.simulation.Rows.Phase;
import dev.millpond.engine.simulation.Rows.State;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
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
    int kills;

    /** Processes in which it was the last to begin, with nothing beside it. */
    final Set<Integer> alone = new HashSet<>();

    /** Processes in which it began so, since an attempt of it has ended. */
    final Set<Integer> aloneIn = new HashSet<>();
  }

  /** Processes that a job kills before it is a dead letter, at most. */
  private static final int KILLS_MAX = 7;

  private final Set<Integer> dead = new HashSet<>();

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

  /** A caller hears what became of a submit under keys: one key, one job, one answer (R20). */
  void keyed(List<Item> items, List<Verdict> verdicts) {
    if (verdicts.isEmpty()) {
      items.forEach(item -> refused(item.job().id()));
    }
    for (int i = 0; i < verdicts.size(); i++) {
      Item item = items.get(i);
      switch (verdicts.get(i)) {
        case Verdict.Fresh fresh -> {
          count("keys taken");
          accepted(fresh.job());
          named(item, fresh.job());
        }
        case Verdict.Known known -> {
          count("keys known");
          named(item, known.job());
          if (known.job() != item.job().id()) {
            refused(item.job().id());
          }
        }
        case Verdict.Conflict conflict -> {
          count("keys refused");
          Item meant =
              items.stream().filter(it -> it.key() == conflict.key()).findAny().orElseThrow();
          KeyRow winner = world.pg.key.committed(conflict.key());
          if (winner == null || winner.body() == meant.body()) {
            throw new Violation("key-refused", "key " + conflict.key() + " is " + winner);
          }
          items.forEach(each -> refused(each.job().id()));
        }
      }
    }
  }

  private void named(Item item, int job) {
    KeyRow winner = world.pg.key.committed(item.key());
    if (winner == null || winner.job() != job || world.pg.job.committed(job) == null) {
      throw new Violation("key-two-answers", item + " got " + job + ", there is " + winner, job);
    }
    if (winner.body() != item.body()) {
      throw new Violation("key-other-body", item + " got " + winner, job);
    }
  }

  /** A key that is committed names its job, and a job has its key. */
  void keyCommitted(int key) {
    KeyRow winner = world.pg.key.committed(key);
    if (winner != null && world.pg.job.committed(winner.job()) == null) {
      throw new Violation("key-without-job", "key " + key + " is " + winner, winner.job());
    }
  }

  /**
   * Somebody has taken a job from its holder. Without faults nobody has a reason to, unless a
   * process has sent it where nobody reads, before it knew.
   */
  void rescued(int job) {
    count("rescued");
    if (world.scenario.calm() && !world.scenario.lists()) {
      throw new Violation("rescued-without-fault", describe(job), job);
    }
  }

  void redriven(int job) {
    of(job).redrives++;
    of(job).aloneIn.clear();
  }

  /** A handler begins. Without faults it does so once for each attempt. */
  void runs(int job, int token, int attempt, Node node) {
    count("runs");
    company(job, node);
    world.trace.add(() -> node.name + " runs job " + job + " at token " + token);
    if (of(job).neverRuns && world.scenario.calm()) {
      throw new Violation("cancelled-and-runs", "job " + job + " at token " + token, job);
    }
    if (!of(job).runs.add((long) of(job).redrives << 32 | attempt) && world.scenario.calm()) {
      throw new Violation("ran-twice", "job " + job + ", attempt " + attempt, job);
    }
  }

  /** Something begins in a process: nothing is alone there any more. */
  private void company(int job, Node node) {
    jobs.forEach((id, known) -> {
      if (id != job) {
        known.alone.remove(node.process);
      }
    });
  }

  /** A process that has died is held against a job: nothing else began there since it was alone. */
  void charged(int job, int process) {
    count("charged");
    if (!of(job).alone.contains(process)) {
      throw new Violation("innocent", describe(job) + " is charged with p" + process, job);
    }
  }

  /** A job is about to begin, with nothing beside it in its process. */
  void runsAlone(int job, Node node) {
    of(job).alone.add(node.process);
    of(job).aloneIn.add(node.process);
  }

  /** A job kills the process that runs it: it must not do so for long (ADR 25). */
  void kills(int job) {
    count("kills");
    of(job).kills++;
    boolean nothingElse = world.scenario.faults().equals(Set.of(Scenario.Fault.PILL));
    if (nothingElse && of(job).kills > KILLS_MAX) {
      throw new Violation("pill-lives", describe(job), job);
    }
  }

  /** A process was killed. */
  void died(int process) {
    dead.add(process);
  }

  /** A process has ended in good order. */
  void left(int process) {
    dead.add(process);
  }

  /**
   * A job becomes a dead letter for what became of its processes: it was alone in two of them that
   * are dead, or were not heard of for two leases (ADR 25).
   */
  void poison(int job, boolean lostTooOften) {
    count("poison");
    if (lostTooOften) {
      return;
    }
    long gone = of(job).aloneIn.stream().filter(this::isGone).count();
    if (gone < 2) {
      throw new Violation("not-poison", describe(job) + ", alone in " + of(job).aloneIn, job);
    }
  }

  private boolean isGone(int process) {
    if (dead.contains(process)) {
      return true;
    }
    for (long id : world.pg.session.keys()) {
      Beat beat = world.pg.session.committed(id);
      if (beat != null && beat.process() == process && beat.at() >= world.now - 2 * World.LEASE) {
        return false;
      }
    }
    return true;
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
    Job row = world.pg.job.committed(job);
    if (row == null) {
      throw violation("unknown-job", by, job);
    }
    KeyRow winner = row.key() == 0 ? null : world.pg.key.committed(row.key());
    if (row.key() != 0 && (winner == null || winner.job() != job)) {
      throw violation("two-jobs-of-a-key", by, job);
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
    if (state != null && (state.phase() == Phase.SCHEDULED || state.phase() == Phase.DEAD)) {
      known.aloneIn.clear();
      known.kills = 0;
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
    if (!world.pg.dispatch.isEmpty() || !leftOnServers().isEmpty()) {
      return false;
    }
    for (Table.Row<State> row : world.pg.state.rows.values()) {
      if (row.committed != null && row.committed.phase() != Phase.DEAD) {
        return false;
      }
    }
    return firstOpen() == 0;
  }

  /** Servers with entries; those of one that no worker or not each leader knows are forgotten. */
  private List<Redis> leftOnServers() {
    return world.redis.stream()
        .filter(redis -> !redis.isEmpty())
        .filter(redis ->
            world.nodes.stream().anyMatch(n -> n.worker != null && n.links.containsKey(redis.shard))
                && world.nodes.stream().allMatch(n -> !n.leads || n.links.containsKey(redis.shard)))
        .toList();
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
          "states " + world.pg.state.keys() + ", servers with entries " + leftOnServers());
    }
    throw violation("not-ended", "the faults", job);
  }
}
