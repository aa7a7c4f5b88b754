package dev.millpond.faults;

/** How a connection ends, and who hears of it. */
public enum Ending {
  /** Both sides see an orderly end (FIN). */
  CLOSED,

  /** Both sides see a reset (RST). */
  RESET,

  /**
   * The client sees an orderly end, the server nothing, as when a cable is pulled: it goes on with
   * what it has got. After 25 s the server's connection is closed, as its keepalives would: those
   * that it sends are answered by the proxy's own machine.
   */
  UNNOTICED,

  /**
   * Nobody sees anything: the connection stays open, and nothing passes any more in either
   * direction, not even its end. Once one side has given up, the other one's is closed 25 s later,
   * as by keepalives.
   */
  HALF_OPEN
}
