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
   * Seen only where one gate lets two through.
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
  KEPT_LATE_WITHOUT_GATE,
  /** R5: the row of a batch that is given back twice in one flush lets both through. */
  ONE_GATE_LETS_TWO_THROUGH,
  /** R20: whoever has not found a key writes its job, whatever its insert says. */
  KEY_LOOKED_UP_FIRST,
  /** R20: the winner of a key is read in the snapshot of the insert that has lost. */
  KEY_READ_WITH_THE_INSERT,
  /** R20: what is asked under a key is not compared. */
  KEY_BODY_NOT_COMPARED,
  /** R20: a submit that one of its keys refuses keeps the others that it has taken. */
  KEY_NOT_GIVEN_BACK,
  /** R12: rows are looked for on the first server, whatever their shard. */
  RECONCILER_LOOKS_AT_ONE_SHARD,
  /** R11: what the feeder puts on a server goes to its first lane's stream. */
  FEEDER_MIXES_LANES,
  /** ADR 23: what a server refuses stays marked as sent, and what nobody reads is left there. */
  UNREAD_IS_LEFT,
  /** ADR 23: workers leave rows of all shards that anybody has to their streams. */
  ONLY_DIRECT_IS_CLAIMED,
  /** ADR 23: the feeder passes over rows of shards that it does not have. */
  NOTHING_IS_ADOPTED,
  /** ADR 25: suspects run beside others. */
  SUSPECTS_IN_COMPANY,
  /** ADR 25: whatever is lost with its process is charged. */
  COMPANY_IS_CHARGED,
  /** ADR 25: a process that comes back counts. */
  PROCESS_COUNTS_TWICE,
  /** ADR 25: a note whose commit gets no answer counts as not made. */
  NOTE_IN_DOUBT_IS_FORGOTTEN,
  /** ADR 25: other jobs begin when the one that ran alone has ended, before that is written. */
  LANES_GO_ON_BEFORE_THE_END_IS_WRITTEN
}
