package dev.millpond.server.run;

import com.sun.management.UnixOperatingSystemMXBean;
import dev.millpond.engine.Millpond;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.function.DoubleSupplier;

/**
 * What a process does not get back while it lives: its own threads, files that were opened and
 * forgotten, and of a worker threads of handlers that do not stop. In processes of all roles.
 * Connections of clients count for nothing: they are given back, and should clients open more than
 * there are files for, the process lives on and serves those it has. Used by one thread.
 */
final class Wear {
  /** Of the files that the system lets a process have open. */
  private static final double FILES_MOST = 0.9;

  /** Looks in a row that find no file left: once may be a moment. */
  private static final int SPENT_LOOKS = 2;

  /**
   * To count the open files reads a directory with an entry for each: while fewer than half of them
   * are open, every so many looks.
   */
  private static final int LOOKS_APART = 5;

  private static final double FILES_FEW = 0.5;

  private final Millpond millpond;
  private final DoubleSupplier connections;
  private int looksWithoutFiles;
  private int looksToSkip;
  private String reason = "";

  /**
   * Looks once, so that all it takes is loaded while that is possible.
   *
   * @param connections open ones of clients: they come and go, and have a limit of their own
   */
  Wear(Millpond millpond, DoubleSupplier connections) {
    this.millpond = millpond;
    this.connections = connections;
    look();
  }

  /** How a process is. */
  enum State {
    /** It may go on. */
    FIT,
    /** It had better end, while it can still give back its jobs. */
    WORN,
    /**
     * It cannot open a file any more, not even to load a class, and that will not change; or it has
     * lost a thread that it needs. Nothing it does can be relied on.
     */
    SPENT
  }

  /** What the last look has found, for the log. */
  String reason() {
    return reason;
  }

  /** Looks at this process. */
  State look() {
    if (looksToSkip > 0
        || !(ManagementFactory.getOperatingSystemMXBean()
            instanceof UnixOperatingSystemMXBean os)) {
      looksToSkip--;
      return threads();
    }
    long most = os.getMaxFileDescriptorCount();
    long open = open(os, most);
    boolean forgotten = open - connections.getAsDouble() > FILES_MOST * most;
    looksWithoutFiles = forgotten && open >= most ? looksWithoutFiles + 1 : 0;
    looksToSkip = open < FILES_FEW * most ? LOOKS_APART - 1 : 0;
    if (looksWithoutFiles >= SPENT_LOOKS) {
      reason = "all files are open that it may open";
      return State.SPENT;
    }
    if (forgotten && open < most) {
      reason = "most files are open that it may open";
      return State.WORN;
    }
    return threads();
  }

  private static long open(UnixOperatingSystemMXBean os, long most) {
    try {
      long open = os.getOpenFileDescriptorCount();
      return open < 0 ? most : open;
    } catch (InternalError e) { // to count them takes one as well
      return most;
    }
  }

  private State threads() {
    List<String> lost = millpond.lostThreads();
    if (!lost.isEmpty()) {
      reason = "these threads have ended by an error: " + String.join(", ", lost);
      return millpond.broken() ? State.SPENT : State.WORN;
    }
    if (millpond.wornOut()) {
      reason = "too many handlers did not stop at their hard timeout";
      return State.WORN;
    }
    return State.FIT;
  }
}
