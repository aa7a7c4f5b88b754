package dev.millpond.engine.dispatch;

import dev.millpond.engine.lifecycle.store.IdTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * Where to start to look for waiting rows. Ids are time-ordered, so a look starts where the last
 * one found its first row, less a margin for ids whose transaction commits late. Without that mark,
 * a snapshot pinned by somebody else makes each look walk over all dead rows since. A full look
 * every two seconds finds what the mark missed. Confined to one thread.
 *
 * @param <K> of what there is a mark each: lanes, or kinds of a lane
 */
public final class LaneMarks<K> {
  private static final Duration FULL_LOOK = Duration.ofSeconds(2);

  /** A full look may take this share of the time. */
  private static final int FULL_LOOK_SHARE = 20;

  /**
   * Ids may become visible this much later than younger ones before only a full look finds them.
   */
  private static final long MARGIN_MILLIS = 1_000;

  private static final UUID LOWEST = new UUID(0, 0);

  private final Map<K, Mark> marks = new HashMap<>();
  private final List<Mark> full = new ArrayList<>();
  private long beganNanos;

  private static final class Mark {
    UUID from = LOWEST;
    long fullLookAtNanos = System.nanoTime();
  }

  /** A look begins. */
  public void begin() {
    beganNanos = System.nanoTime();
    full.clear();
  }

  /** The id after which this look starts. */
  public UUID from(K what) {
    Mark mark = marks.computeIfAbsent(what, w -> new Mark());
    boolean due = beganNanos - mark.fullLookAtNanos >= 0;
    if (due) {
      full.add(mark);
    }
    return due ? LOWEST : mark.from;
  }

  /** The look has succeeded. */
  public void end() {
    long now = System.nanoTime();
    long next = now + Math.max(FULL_LOOK.toNanos(), FULL_LOOK_SHARE * (now - beganNanos));
    full.forEach(mark -> mark.fullLookAtNanos = next);
  }

  /** The first row of what it has found. */
  public void found(K what, UUID first) {
    Mark mark = marks.get(what);
    if (mark != null) {
      mark.from = IdTime.lowest(IdTime.millis(first) - MARGIN_MILLIS);
    }
  }

  /** As the last look has left it: to take what it has found. */
  public UUID since(K what) {
    Mark mark = marks.get(what);
    return mark == null ? LOWEST : mark.from;
  }

  public void clear() {
    marks.clear();
  }
}
