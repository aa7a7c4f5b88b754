package dev.millpond.chaos.fault;

/** Names of servers in {@link Fault#targets}; members go by their own. */
public final class Targets {
  public static final String POSTGRES = "postgres";
  public static final String REDIS = "redis";

  private Targets() {}
}
