package dev.millpond.chaos.fault;

import java.time.Duration;
import java.util.Set;

/**
 * One fault, as it was drawn. Used once, by one thread: {@link #hit}, {@link #strike}, a wait of
 * {@link #lasts}, {@link #undo}. What it is aimed at by name is free of other faults meanwhile.
 */
public interface Fault {
  /** What it is, in a few words: {@code worker-2 is killed}. */
  String text();

  /**
   * What no other fault may touch until this one is undone: names of members, {@link
   * Targets#POSTGRES}, {@link Targets#REDIS}.
   */
  Set<String> targets();

  /** How long it is kept up. */
  Duration lasts();

  /** Jobs in the hands of what it is about to strike. It counts only when there are some. */
  Hit hit(Scene scene);

  /** Does it. */
  void strike(Scene scene) throws Exception;

  /** Takes it back; returns when what it was aimed at works again. */
  void undo(Scene scene) throws Exception;

  /** Whether anybody felt it, asked when it is over; one that nobody felt does not count. */
  default boolean felt() {
    return true;
  }

  /** From where recovery is measured. */
  default Since since() {
    return Since.STRUCK;
  }

  /** From where recovery is measured. */
  enum Since {
    /** The moment of the blow. */
    STRUCK,
    /** The moment at which it was taken back: what was away can be reached again. */
    UNDONE
  }
}
