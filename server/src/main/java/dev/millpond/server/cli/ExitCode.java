package dev.millpond.server.cli;

import dev.millpond.server.client.Reply;

/** Exit codes of the command line, and of a server process. */
public final class ExitCode {
  public static final int OK = 0;

  /** A check failed, a job did not succeed, or the program or the server itself failed. */
  public static final int FAILED = 1;

  /** The command line or the configuration cannot be used. */
  public static final int USAGE = 2;

  /** PostgreSQL or the server cannot be reached. */
  public static final int UNREACHABLE = 3;

  /** The server refused the request: nothing was done. */
  public static final int REFUSED = 4;

  /** The server does not let the caller do it. */
  public static final int DENIED = 5;

  /**
   * A server has ended because too much of it is held by handlers that do not stop, or because it
   * has lost a thread of its own: it is to be started again. EX_SOFTWARE of sysexits.h.
   */
  public static final int WORN_OUT = 70;

  /** A handler, or what it uses, has ended the server's process by System.exit. */
  public static final int ENDED_BY_HANDLER = 71;

  private ExitCode() {}

  /** What a server's answer means to a script: the one mapping. */
  public static int of(Reply reply) {
    return switch (reply) {
      case Reply.Done done -> OK;
      case Reply.Failed failed -> FAILED;
      case Reply.Unreachable unreachable -> UNREACHABLE;
      case Reply.Unavailable unavailable -> UNREACHABLE;
      case Reply.Foreign foreign -> UNREACHABLE;
      case Reply.Refused refused -> REFUSED;
      case Reply.Denied denied -> DENIED;
    };
  }
}
