package dev.millpond.server.supervise;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps one server process running: when it dies it is started again, after a wait that doubles
 * with each death that came soon after the start. One that ends well, or whose command line or
 * configuration cannot be used, is not started again; its exit code is this process's.
 *
 * <p>The child reads its standard input from a pipe that only this process holds, so that it drains
 * and ends when this process is killed. What stops this process stops the child: SIGTERM, a wait,
 * then SIGKILL. Its output goes where this process's goes.
 */
public final class ServerSupervisor {
  private static final Logger log = LoggerFactory.getLogger(ServerSupervisor.class);

  /** Makes the child end when this process does. */
  public static final String STOP_ON_STDIN_EOF = "--stop-on-stdin-eof";

  /** For all of a stop that is not the drain. */
  private static final Duration STOP_MARGIN = Duration.ofSeconds(30);

  private final List<String> command;
  private final Duration stopPatience;
  private final Ends ends;
  private final CountDownLatch stopping = new CountDownLatch(1);
  private volatile @Nullable Process child;

  /** Which exit codes of the child are final. */
  public interface Ends {
    boolean isFinal(int exitCode);
  }

  /**
   * @param command of the child
   * @param drain how long the child's drain may take
   */
  public ServerSupervisor(List<String> command, Duration drain, Ends ends) {
    this.command = List.copyOf(command);
    this.stopPatience = drain.plus(STOP_MARGIN);
    this.ends = ends;
  }

  /** Runs the child, and again and again; the exit code of the last one. */
  public int run() throws InterruptedException {
    Restarts restarts = new Restarts();
    while (true) {
      long began = System.nanoTime();
      int code = runOnce();
      if (stopping.getCount() == 0 || ends.isFinal(code)) {
        return code;
      }
      Duration wait = restarts.afterDeath(Duration.ofNanos(System.nanoTime() - began));
      log.warn("The server {}; starting it again in {} ms", describe(code), wait.toMillis());
      if (stopping.await(wait.toMillis(), TimeUnit.MILLISECONDS)) {
        return code;
      }
    }
  }

  private int runOnce() throws InterruptedException {
    Process started;
    synchronized (this) {
      if (stopping.getCount() == 0) {
        return 0;
      }
      try {
        started =
            new ProcessBuilder(command)
                .redirectOutput(ProcessBuilder.Redirect.INHERIT)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
      } catch (IOException e) {
        log.error("The server cannot be started: {}", e.getMessage());
        return 1;
      }
      child = started;
    }
    log.info("The server is process {}", started.pid());
    return started.waitFor();
  }

  /** Stops the child; its exit code, 0 when there is none. */
  public int stop() {
    Process running;
    synchronized (this) {
      stopping.countDown();
      running = child;
    }
    if (running == null) {
      return 0;
    }
    running.destroy();
    try {
      if (!running.waitFor(stopPatience.toMillis(), TimeUnit.MILLISECONDS)) {
        log.warn("The server does not stop; killing it");
        running.destroyForcibly();
      }
      return running.waitFor();
    } catch (InterruptedException e) {
      running.destroyForcibly();
      Thread.currentThread().interrupt();
      return 1;
    }
  }

  private static String describe(int code) {
    return switch (code) {
      case 128 + 9 -> "was killed (SIGKILL)";
      case 128 + 15 -> "was told to stop by somebody else (SIGTERM)";
      default -> "ended with exit code " + code;
    };
  }
}
