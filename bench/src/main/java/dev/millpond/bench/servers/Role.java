package dev.millpond.bench.servers;

import java.util.Locale;

/** What a process does in a measurement. */
public enum Role {
  /** This JVM: producers, and the worker where it is not a process of its own. */
  CLIENT,
  /** Worker processes. */
  WORKER,
  /** An HTTP server. */
  SERVER,
  POSTGRES,
  REDIS;

  /** As in the reports. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Whether its memory is looked at: those whose code is ours. */
  boolean java() {
    return this == CLIENT || this == WORKER || this == SERVER;
  }
}
