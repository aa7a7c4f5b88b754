package dev.millpond.engine.races;

/** Who meets whom, and over what. */
@SuppressWarnings("ImmutableEnumChecker") // an act is a method reference
enum Race {
  /** R3 against R9: a batch ends while it is rescued. */
  REAPER_AGAINST_FLUSH(Start.TAKEN, Side::ends, Side::rescues),
  REAPER_AGAINST_PARTS(Start.TAKEN, Side::endsInParts, Side::rescues),
  /** R7 against R9. */
  REAPER_AGAINST_RETRY(Start.TAKEN, Side::endsWithRetry, Side::rescues),
  REAPER_AGAINST_DEAD_LETTER(Start.TAKEN, Side::buriesInAPart, Side::rescues),
  /** R5 against R9. */
  REAPER_AGAINST_DISSOLVE(Start.TAKEN, Side::dissolves, Side::rescues),
  /** R4 against R9. */
  REAPER_AGAINST_TRACKED_END(Start.TRACKED, Side::endsTracked, Side::rescuesRunning),
  /** A leader that was asleep against the one that has taken its place. */
  REAPER_AGAINST_REAPER(Start.TAKEN, Side::rescues, Side::rescues),
  /** R10 against R11 and R14. */
  CANCEL_AGAINST_CLAIM(Start.WAITING, Side::cancels, Side::works),
  CANCEL_AGAINST_CLAIM_OF_A_RETRY(Start.WAITING_AT_TOKEN_2, Side::cancels, Side::works),
  CANCEL_AGAINST_RETRY(Start.TAKEN, Side::cancels, Side::endsWithRetry),
  CANCEL_AGAINST_DISSOLVE(Start.TAKEN, Side::cancels, Side::dissolves),
  CANCEL_AGAINST_REAPER(Start.TRACKED, Side::cancels, Side::rescuesRunning),
  /** R13 against an end at the token of the life before. */
  REDRIVE_AGAINST_LATE_FLUSH(Start.DEAD, Side::redrives, Side::ends),
  REDRIVE_AGAINST_LATE_RETRY(Start.DEAD, Side::redrives, Side::endsWithRetry),
  REDRIVE_AGAINST_REDRIVE(Start.DEAD, Side::redrives, Side::redrivesInBulk),
  /** The same batch at two workers: a redelivery without its claim hint. */
  FLUSH_AGAINST_DEAD_LETTER(Start.SENT, Side::ends, Side::buriesInAPart),
  PART_AGAINST_PART(Start.SENT, Side::endsOneCold, Side::retriesOne),
  FLUSH_AGAINST_DISSOLVE(Start.SENT, Side::ends, Side::dissolves),
  /** R11: both ways look at the same row. */
  FEEDER_AGAINST_CLAIM(Start.WAITING, Side::feeds, Side::claims);

  /** How the two jobs of a round are before it. */
  enum Start {
    /** In a batch that waits. */
    WAITING,
    /** The same, at token 2: it was rescued once. */
    WAITING_AT_TOKEN_2,
    /** In a batch on a stream. */
    SENT,
    /** The same; in every other round the left side's session has claimed it from the table. */
    TAKEN,
    /** The job runs and its deadline is over, the other one waits. */
    TRACKED,
    /** The job is dead, the batch is still on a stream with the other one. */
    DEAD
  }

  /** What a side does in a round. */
  interface Act {
    Answer by(Side side, Round round);
  }

  final Start start;
  final Act left;
  final Act right;

  Race(Start start, Act left, Act right) {
    this.start = start;
    this.left = left;
    this.right = right;
  }
}
