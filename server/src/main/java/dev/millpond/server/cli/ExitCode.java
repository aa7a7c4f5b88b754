package dev.millpond.server.cli;

/** Exit codes of the command line. */
public final class ExitCode {
  public static final int OK = 0;

  /** A check failed, or the program itself did. */
  public static final int FAILED = 1;

  /** The command line or the configuration cannot be used. */
  public static final int USAGE = 2;

  /** PostgreSQL or the server cannot be reached. */
  public static final int UNREACHABLE = 3;

  private ExitCode() {}
}
