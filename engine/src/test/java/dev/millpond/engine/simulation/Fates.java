package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.Rows.Beat;
import java.util.HashMap;
import java.util.Map;

/** What is known of processes from the rows of their sessions, as in the engine (ADR 25). */
final class Fates {
  private static final long NEVER_HEARD = Long.MAX_VALUE;

  private static final class Fate {
    long silent = NEVER_HEARD;
    boolean fenced = true;
    boolean died;
    boolean longSilent = true;
  }

  private final Map<Integer, Fate> processes = new HashMap<>();

  private Fates() {}

  static Fates read(World world) {
    Fates fates = new Fates();
    for (long id : world.pg.session.keys()) {
      Beat beat = world.pg.session.committed(id);
      if (beat != null) {
        Fate fate = fates.processes.computeIfAbsent(beat.process(), p -> new Fate());
        if (!beat.fenced()) {
          fate.fenced = false;
          fate.silent = Math.min(fate.silent, world.now - beat.at());
        }
        fate.died |= beat.died();
        fate.longSilent &= beat.at() < world.now - 2 * World.LEASE;
      }
    }
    return fates;
  }

  boolean knows(int process) {
    return processes.containsKey(process);
  }

  /** Whether all its sessions are fenced. */
  boolean lost(int process) {
    Fate fate = processes.get(process);
    return fate != null && fate.fenced;
  }

  boolean died(int process) {
    Fate fate = processes.get(process);
    return fate != null && fate.died;
  }

  /** Whether it has died or must have: lost and not heard of for long. */
  boolean gone(int process) {
    Fate fate = processes.get(process);
    return fate == null || (fate.fenced && (fate.died || fate.longSilent));
  }

  boolean heardWithin(int process, long millis) {
    Fate fate = processes.get(process);
    return fate != null && !fate.fenced && fate.silent <= millis;
  }

  /** Whether more processes than not have been silent for this long. */
  boolean mostSilentFor(long millis) {
    int live = 0;
    int silent = 0;
    for (Fate fate : processes.values()) {
      if (!fate.fenced) {
        live++;
        silent += fate.silent > millis ? 1 : 0;
      }
    }
    return 2 * silent > live;
  }
}
