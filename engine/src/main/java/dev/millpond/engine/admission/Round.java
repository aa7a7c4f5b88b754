package dev.millpond.engine.admission;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What one lane lets into its next flush. A queue whose credit does not go far enough is asked
 * about once; from then on the flush takes what there is room for, the last submit as a whole.
 * Confined to its lane's thread; used for one flush after the other.
 */
public final class Round {
  /** A question that reads no more than it should takes a tenth of it. */
  private static final long SLOW_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

  private final Admission admission;
  private final Asker asker;
  private final Map<String, Part> parts = new HashMap<>();

  /** A queue's part of the flush. */
  private static final class Part {
    private final Gate gate;

    /** Jobs that came in on credit: an answer does not have them yet. */
    private Amount onCredit = Amount.NONE;

    private boolean asked;

    /** Up to the high watermarks, by the answer; without one the flush is let in as it is. */
    private Amount left = Amount.NONE;

    private boolean answered;

    Part(Gate gate) {
      this.gate = gate;
    }
  }

  Round(Admission admission, Asker asker) {
    this.admission = admission;
    this.asker = asker;
  }

  /** Lets a submit into the flush; otherwise says which of its queues is full. */
  public @Nullable String full(Ticket ticket) {
    if (ticket.mayPass()) {
      return null;
    }
    for (Need need : ticket.needs()) {
      Watermarks marks = admission.marks(need.queue());
      if (need.counts() && marks.marked() && !admits(need, marks)) {
        return need.queue();
      }
      if (need.later() > 0 && admission.scheduledFull(need.queue(), asker)) {
        return need.queue();
      }
    }
    return null;
  }

  private boolean admits(Need need, Watermarks marks) {
    Part part =
        parts.computeIfAbsent(need.queue(), queue -> new Part(admission.gate(need.queue())));
    if (!part.asked) {
      if (part.gate.closed()) {
        return false;
      }
      if (part.gate.spend(need.now())) {
        part.onCredit = part.onCredit.plus(need.now());
        return true;
      }
      ask(part, need.queue(), marks);
    }
    if (part.left.exhausted()) {
      return false;
    }
    part.left = part.left.minus(need.now());
    part.gate.comeIn(need.now());
    return true;
  }

  private void ask(Part part, String queue, Watermarks marks) {
    part.asked = true;
    long began = System.nanoTime();
    Answer answer = asker.ask(queue);
    if (System.nanoTime() - began > SLOW_NANOS) {
      admission.slow();
    }
    if (answer == null) {
      part.left = Watermarks.NONE.left(Amount.NONE);
      return;
    }
    part.answered = true;
    part.gate.seen(answer, marks, began);
    part.gate.comeIn(part.onCredit);
    part.left = part.gate.closed() ? Amount.NONE : marks.left(answer.depth()).minus(part.onCredit);
    if (part.gate.closed()) {
      admission.look();
    }
  }

  /** The flush is committed, or will never be. */
  public void end() {
    if (parts.isEmpty()) {
      return;
    }
    for (Part part : parts.values()) {
      if (part.answered && !part.left.exhausted() && !part.gate.closed()) {
        part.gate.grant(part.left);
      } else if (part.answered) {
        admission.suspect(part.gate);
      }
    }
    parts.clear();
  }
}
