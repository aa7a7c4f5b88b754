package dev.millpond.engine.simulation;

/** A rule of the protocol that the model leaves out when told to: the simulator must notice. */
enum Bug {
  /** R3 without its gate: outcomes are inserted whether the dispatch row was there or not. */
  NO_HOLDER_GATE,
  /** R2: the submitter deletes the row once the entry is on the stream. */
  SUBMITTER_DELETES_THE_ROW,
  /** R1: a cold flush reads states and outcomes in the snapshot of its gates' statement. */
  COLD_CHECK_WITH_THE_LOCK,
  /** R1: a hot flush reads the tokens in the snapshot of its gates' statement. */
  HOT_CHECK_WITH_THE_LOCK,
  /** R1: a cold flush lets others through the row of a batch that it writes a part of. */
  COLD_PART_SHARES_ITS_GATE,
  /** R10: whether anybody has a job with a state row is read without a lock of its dispatch row. */
  CANCEL_READS_THE_ROW_UNLOCKED,
  /**
   * A worker that drains gives back a batch that it reads again, and does not look if it runs it.
   */
  DRAIN_GIVES_BACK_WHAT_RUNS,
  /** Ends of a part that did not pass its gate are not written again with the batch's last ones. */
  ENDS_OF_A_LOST_PART_FORGOTTEN,
  /** XDEL and XACK when a batch is claimed, not after its commit. */
  ACK_BEFORE_COMMIT,
  /** R9: the reaper asks neither for the token nor for the phase. */
  REAPER_WITHOUT_TOKEN,
  /** R12 is left out. */
  NO_RECONCILER,
  /** R15 is left out: after a lost answer the flush is sent again as if it were new. */
  NO_FLUSH_MARKER,
  /** A beat refreshes the session and not its running jobs. */
  RENEWAL_WITHOUT_SEEN_AT,
  /** ADR 15: what a worker keeps is not written as claimed by its session. */
  KEPT_WITHOUT_SESSION,
  /** ADR 15: what is handed over later than S is run, and written without a gate. */
  KEPT_LATE_WITHOUT_GATE
}
