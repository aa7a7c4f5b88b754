package dev.millpond.server.config;

/**
 * Who may call.
 *
 * @param keys whether callers need a key; else only this machine may call, without one
 * @param metricsOpen whether the metrics need none all the same
 */
public record AccessConfig(boolean keys, boolean metricsOpen) {
  /** Whoever is on this machine. */
  public static final AccessConfig LOCAL = new AccessConfig(false, true);
}
