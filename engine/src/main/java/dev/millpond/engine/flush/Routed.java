package dev.millpond.engine.flush;

import dev.millpond.engine.dispatch.Batch;

/**
 * A new batch, and how it gets to a worker.
 *
 * @param route written with its row
 */
public record Routed(Batch batch, Route route) {

  /** How a batch gets to a worker. */
  public enum Route {
    /** It waits in the table for a feeder or a claim. */
    WAITS(0),
    /** This node puts it on its stream after the commit. */
    SENT(1),
    /** This node's own worker keeps it: the row is claimed by the commit that makes it. */
    KEPT(2);

    private final int code;

    Route(int code) {
      this.code = code;
    }

    /** As the statement that writes the row knows it. */
    public int code() {
      return code;
    }
  }
}
