package dev.millpond.faults;

/** How a connection ends, and who hears of it. */
public enum Ending {
  /** Both sides see an orderly end (FIN). */
  CLOSED,

  /** Both sides see a reset (RST). */
  RESET,

  /**
   * The client sees an orderly end, the server nothing, as when a cable is pulled: it goes on with
   * what it has got.
   */
  UNNOTICED,

  /**
   * Nobody sees anything: the connection stays open, and nothing passes any more in either
   * direction, not even its end.
   */
  HALF_OPEN
}
