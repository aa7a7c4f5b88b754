package dev.millpond.server.demo;

import dev.millpond.server.supervise.Restarts;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Keeps child processes running: one that ends is started again after a wait that doubles with each
 * quick death, with jitter. Closing sends SIGTERM, waits, then kills.
 *
 * <p>Each child reads its standard input from a pipe that only this process holds, so a child that
 * stops on end of file also ends when this process is killed. Thread-safe: one thread watches each
 * child, and a child's lock guards its start against the close.
 */
final class Supervisor implements AutoCloseable {
  static final int CHILDREN_MAX = 128;

  private static final Duration KILL_PATIENCE = Duration.ofSeconds(5);
  private static final long ROTATE_LOG_BYTES = 16L << 20;

  private final Consumer<String> say;
  private final Duration stopPatience;
  private final CountDownLatch stopping = new CountDownLatch(1);
  private final Map<String, Child> children = new LinkedHashMap<>();

  /**
   * Makes a supervisor without children.
   *
   * @param say takes a line about each death and restart
   * @param stopPatience how long children may take to end after SIGTERM
   */
  Supervisor(Consumer<String> say, Duration stopPatience) {
    this.say = say;
    this.stopPatience = stopPatience;
  }

  /**
   * What to run.
   *
   * @param name unique, for messages
   * @param command asked again for each start
   * @param log file that gets the output of all starts; above 16 MiB it is moved to {@code .1}
   */
  record Spec(String name, Supplier<List<String>> command, Path log) {}

  /** Starts a child and keeps it running until the close. */
  synchronized void start(Spec spec) {
    if (children.size() >= CHILDREN_MAX) {
      throw new IllegalStateException("at most " + CHILDREN_MAX + " children");
    }
    Child child = new Child(spec);
    if (children.putIfAbsent(spec.name(), child) != null) {
      throw new IllegalArgumentException("there is a child " + spec.name() + " already");
    }
    child.watcher.start();
  }

  /** The process id of a child that runs now. */
  Optional<Long> pid(String name) {
    Process process = child(name).process;
    return process != null && process.isAlive() ? Optional.of(process.pid()) : Optional.empty();
  }

  /** How often a child has ended by itself, or was killed by someone else. */
  int deaths(String name) {
    return child(name).deaths.get();
  }

  /**
   * Kills a child as {@code kill -9} does; it is started again. Nothing happens when it is down.
   */
  void kill(String name) {
    Process process = child(name).process;
    if (process != null) {
      process.destroyForcibly();
    }
  }

  /** The end of a child's log, for an error message. */
  String logTail(String name, int lines) {
    try (var all = Files.lines(child(name).spec.log())) {
      List<String> tail = all.toList();
      return String.join("\n", tail.subList(Math.max(0, tail.size() - lines), tail.size()));
    } catch (IOException | UncheckedIOException e) {
      return "(" + child(name).spec.log() + " cannot be read: " + e.getMessage() + ")";
    }
  }

  private synchronized Child child(String name) {
    Child child = children.get(name);
    if (child == null) {
      throw new IllegalArgumentException("there is no child " + name);
    }
    return child;
  }

  /** Ends all children; returns when all have ended. */
  @Override
  public void close() {
    stopping.countDown();
    List<Child> all;
    synchronized (this) {
      all = List.copyOf(children.values());
    }
    all.forEach(Child::terminate);
    long deadline = System.nanoTime() + stopPatience.toNanos();
    for (Child child : all) {
      if (!child.awaitEnd(deadline - System.nanoTime())) {
        say.accept(child.spec.name() + " does not stop; killing it");
        child.kill();
        child.awaitEnd(KILL_PATIENCE.toNanos());
      }
    }
  }

  /** One child over all its starts. */
  private final class Child {
    private final Spec spec;
    private final Thread watcher;
    private volatile @Nullable Process process;
    private final AtomicInteger deaths = new AtomicInteger();

    Child(Spec spec) {
      this.spec = spec;
      this.watcher =
          Thread.ofPlatform().name("supervise-" + spec.name()).daemon(true).unstarted(this::watch);
    }

    private void watch() {
      Restarts restarts = new Restarts();
      try {
        while (stopping.getCount() > 0) {
          long startedNanos = System.nanoTime();
          String end = runOnce();
          if (stopping.getCount() == 0) {
            return;
          }
          deaths.incrementAndGet();
          Duration wait = restarts.afterDeath(Duration.ofNanos(System.nanoTime() - startedNanos));
          say.accept(
              "%s %s; starting it again in %d ms".formatted(spec.name(), end, wait.toMillis()));
          if (stopping.await(wait.toMillis(), TimeUnit.MILLISECONDS)) {
            return;
          }
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    /** Runs the process to its end and says how it ended. */
    private String runOnce() throws InterruptedException {
      Process started;
      synchronized (this) {
        if (stopping.getCount() == 0) {
          return "was not started";
        }
        try {
          started = launch();
        } catch (IOException e) {
          return "cannot be started: " + e.getMessage();
        }
        process = started;
      }
      int code = started.waitFor();
      return "(pid %d) ended with %s".formatted(started.pid(), describe(code));
    }

    private Process launch() throws IOException {
      Path log = spec.log();
      if (Files.exists(log) && Files.size(log) > ROTATE_LOG_BYTES) {
        Files.move(
            log, log.resolveSibling(log.getFileName() + ".1"), StandardCopyOption.REPLACE_EXISTING);
      }
      File file = log.toFile();
      return new ProcessBuilder(spec.command().get())
          .redirectErrorStream(true)
          .redirectOutput(ProcessBuilder.Redirect.appendTo(file))
          .start();
    }

    synchronized void terminate() {
      if (process != null) {
        process.destroy();
      }
    }

    synchronized void kill() {
      if (process != null) {
        process.destroyForcibly();
      }
    }

    boolean awaitEnd(long nanos) {
      Process last;
      synchronized (this) {
        last = process;
      }
      try {
        return last == null || last.waitFor(Math.max(0, nanos), TimeUnit.NANOSECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
    }
  }

  private static String describe(int code) {
    return switch (code) {
      case 128 + 9 -> "SIGKILL";
      case 128 + 15 -> "SIGTERM";
      default -> "exit code " + code;
    };
  }
}
