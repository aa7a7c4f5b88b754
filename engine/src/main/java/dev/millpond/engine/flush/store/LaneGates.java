package dev.millpond.engine.flush.store;

import dev.millpond.engine.admission.Admission;
import dev.millpond.engine.admission.Round;
import dev.millpond.engine.admission.Ticket;
import dev.millpond.engine.flush.KeyedSubmit;
import org.jspecify.annotations.Nullable;

/** The gates of full queues as a lane passes them. Confined to the lane's thread. */
final class LaneGates {
  private final LaneAsker asker;
  private @Nullable Admission admission;
  private @Nullable Round round;

  LaneGates(WriterConnection connection) {
    this.asker = new LaneAsker(connection);
  }

  /** Asks from now on; before that all is let in. */
  void ask(Admission newAdmission) {
    admission = newAdmission;
    round = newAdmission.round(asker);
  }

  /** Lets a submit into the next flush; false for one that is turned away. */
  boolean admit(@Nullable Ticket ticket) {
    String full = full(ticket);
    return full == null || turnedAway(ticket, full);
  }

  /** The same; one whose keys are all known brings no new job. */
  boolean admit(@Nullable Ticket ticket, KeyedSubmit submit) {
    String full = full(ticket);
    return full == null || asker.allKnown(submit) || turnedAway(ticket, full);
  }

  private @Nullable String full(@Nullable Ticket ticket) {
    return round == null || ticket == null ? null : round.full(ticket);
  }

  private boolean turnedAway(@Nullable Ticket ticket, String full) {
    if (admission == null || ticket == null) {
      return true;
    }
    admission.turnAway(ticket, full);
    return false;
  }

  /** The flush is decided. */
  void decided() {
    if (round != null) {
      round.end();
    }
  }
}
