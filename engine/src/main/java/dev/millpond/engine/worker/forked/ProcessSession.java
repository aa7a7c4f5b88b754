package dev.millpond.engine.worker.forked;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * The processes of a child's session, which begins with the child: itself and all it has started,
 * unless they made a session of their own. Stateless.
 */
final class ProcessSession {
  /** Looks for processes that are born while others are killed; then the shell kills the group. */
  private static final int SWEEPS = 20;

  private static final int SWEEPS_ALONE = 5;

  /** Those that were killed need a moment to go. */
  private static final long SWEEP_NANOS = 1_000_000;

  private ProcessSession() {}

  /** Asks all of them to end, the one with this id excepted. */
  static void terminate(long session, long except) {
    for (long pid : ProcFiles.session(session)) {
      if (pid != except) {
        ProcessHandle.of(pid).ifPresent(ProcessHandle::destroy);
      }
    }
  }

  /**
   * Kills all of them, the one with this id excepted.
   *
   * @return whether none is left
   */
  static boolean kill(long session, long except) {
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
      if (sweep > 0) {
        LockSupport.parkNanos(SWEEP_NANOS);
      }
      List<Long> members = ProcFiles.session(session).stream().filter(p -> p != except).toList();
      if (members.isEmpty()) {
        return true;
      }
      if (sweep >= SWEEPS_ALONE && except < 0) {
        killGroup(session);
      }
      for (long pid : members) {
        Optional<ProcessHandle> handle = ProcessHandle.of(pid);
        handle.ifPresent(ProcessHandle::destroyForcibly);
      }
    }
    return false;
  }

  /** All at once, for processes that multiply faster than they are found. */
  private static void killGroup(long group) {
    try {
      Process kill =
          new ProcessBuilder("sh", "-c", "kill -s KILL -- -" + group)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      if (!kill.waitFor(1, TimeUnit.SECONDS)) {
        kill.destroyForcibly();
      }
    } catch (IOException e) {
      // Found and killed one by one, then.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
