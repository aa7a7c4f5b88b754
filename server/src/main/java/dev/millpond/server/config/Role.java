package dev.millpond.server.config;

import java.util.Locale;

/** What a server process does. Each role can run any number of times. */
public enum Role {
  /** Takes submits and answers questions over HTTP. */
  API,
  /** Runs jobs. */
  WORKER,
  /** Stands for election as the leader, who rescues, promotes and reconciles. */
  MAINTENANCE;

  public String wireName() {
    return name().toLowerCase(Locale.ROOT);
  }
}
