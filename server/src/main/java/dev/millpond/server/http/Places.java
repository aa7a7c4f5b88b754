package dev.millpond.server.http;

import java.util.HashMap;
import java.util.Map;

/** Places that are few, of which nobody may have them all. Thread-safe. */
public final class Places {
  private final int most;
  private final int mostOfOne;
  private final Map<String, Integer> taken = new HashMap<>();
  private int all;

  /** What became of the wish for one. */
  public enum Answer {
    TAKEN,
    /** There is none left. */
    FULL,
    /** Whoever asks has all that one may have. */
    TOO_MANY_OF_ONE
  }

  public Places(int most, int mostOfOne) {
    this.most = most;
    this.mostOfOne = mostOfOne;
  }

  /** Takes one, if there is one; who has taken one has to {@link #leave} it. */
  public synchronized Answer take(String who) {
    int own = taken.getOrDefault(who, 0);
    if (own >= mostOfOne) {
      return Answer.TOO_MANY_OF_ONE;
    }
    if (all >= most) {
      return Answer.FULL;
    }
    taken.put(who, own + 1);
    all++;
    return Answer.TAKEN;
  }

  /** Gives one back. */
  public synchronized void leave(String who) {
    all--;
    taken.computeIfPresent(who, (name, own) -> own == 1 ? null : own - 1);
  }
}
