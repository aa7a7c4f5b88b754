package dev.millpond.chaos.fleet;

import dev.millpond.server.config.Role;
import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/**
 * One {@code millpond server} of the fleet, over all its starts. While it is wanted, a process that
 * ends by itself is started again, as a supervisor would. It ends with this process, because its
 * standard input does. Thread-safe.
 */
public final class Member {
  private static final long AGAIN_MILLIS = 300;
  private static final long LOOK_MILLIS = 20;
  private static final int TAIL_LINES = 20;
  private static final int OWN_ENDS_MOST = 10;
  private static final Pattern SESSION = Pattern.compile("session ([0-9a-f-]{36})");
  private static final ObjectMapper JSON = new ObjectMapper();

  private final String name;
  private final Role role;
  private final Path runFile;
  private final Path log;
  private final IntFunction<List<String>> command;
  private final Map<String, String> environment;
  private final Executor later =
      CompletableFuture.delayedExecutor(AGAIN_MILLIS, TimeUnit.MILLISECONDS);
  private final List<String> ownEnds = new ArrayList<>();
  private @Nullable Process process;
  private boolean wanted;
  private volatile int port;
  private volatile long servedPid;

  /**
   * @param home directory for its run file and its log
   * @param environment on top of this process' own
   * @param command asked at each start, with the port to listen on; 0 for a free one
   */
  Member(
      String name,
      Role role,
      Path home,
      Map<String, String> environment,
      IntFunction<List<String>> command) {
    this.name = name;
    this.role = role;
    this.runFile = home.resolve(name + ".json");
    this.log = home.resolve(name + ".log");
    this.environment = Map.copyOf(environment);
    this.command = command;
  }

  public String name() {
    return name;
  }

  public Role role() {
    return role;
  }

  /** Starts it, unless it runs. */
  public synchronized void start() {
    wanted = true;
    if (process == null || !process.isAlive()) {
      launch();
    }
  }

  private synchronized void launch() {
    File output = log.toFile();
    try {
      ProcessBuilder builder =
          new ProcessBuilder(command.apply(port))
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.appendTo(output));
      builder.environment().put(Fleet.LOG_LEVEL, "INFO"); // session() reads the log
      builder.environment().putAll(environment);
      Process started = builder.start();
      process = started;
      var unused =
          started.onExit().thenAccept(this::noteEnd).thenRunAsync(() -> ended(started), later);
    } catch (IOException e) {
      throw new FleetException("Cannot start " + name, e);
    }
  }

  /**
   * One that ends before it serves is no finding: PostgreSQL may have been away at its start. One
   * that serves outlives every fault, for no handler of a campaign ends it or wears it out.
   */
  private synchronized void noteEnd(Process which) {
    if (wanted && which.equals(process) && serves(which) && ownEnds.size() < OWN_ENDS_MOST) {
      ownEnds.add(
          "%s served, and ended by itself with %d. The end of its log:%n%s"
              .formatted(name, which.exitValue(), logTail()));
    }
  }

  private synchronized void ended(Process which) {
    if (wanted && which.equals(process)) {
      launch();
    }
  }

  /** Each time that it ended though nobody had ended it, after it had served. */
  public synchronized List<String> ownEnds() {
    return List.copyOf(ownEnds);
  }

  /** Ends it by SIGKILL; it stays down until it is started. */
  public void kill() {
    end(Process::destroyForcibly, Duration.ofSeconds(10));
  }

  /**
   * Ends it by SIGTERM; it stays down until it is started.
   *
   * @return its exit code; empty when it did not end in time
   */
  public Optional<Integer> terminate(Duration within) {
    return end(Process::destroy, within);
  }

  /** How a process is told to end. */
  private interface Ending {
    void end(Process process);
  }

  private Optional<Integer> end(Ending ending, Duration within) {
    Process current;
    synchronized (this) {
      wanted = false;
      current = process;
    }
    if (current == null) {
      return Optional.empty();
    }
    ending.end(current);
    try {
      return current.waitFor(within.toMillis(), TimeUnit.MILLISECONDS)
          ? Optional.of(current.exitValue())
          : Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }

  /** The process id of the latest start; 0 before the first. */
  public synchronized long pid() {
    return process == null ? 0 : process.pid();
  }

  /** Whether its latest process has said that it serves. */
  public boolean isUp() {
    Process current;
    synchronized (this) {
      current = process;
    }
    return current != null && current.isAlive() && serves(current);
  }

  /** Whether a process has come so far, also when it has ended. */
  private boolean serves(Process which) {
    if (servedPid == which.pid()) {
      return true;
    }
    try {
      JsonNode run = JSON.readTree(Files.readString(runFile));
      if (run.path("pid").asLong(0) != which.pid()) {
        return false;
      }
      port = URI.create(run.path("url").asString("")).getPort();
      servedPid = which.pid();
      return true;
    } catch (IOException | JacksonException e) {
      return false; // not written yet
    }
  }

  /**
   * Waits until it is up.
   *
   * @throws FleetException with the end of its log, when it does not come up
   */
  public void awaitUp(Duration within) throws InterruptedException {
    long until = System.nanoTime() + within.toNanos();
    while (!isUp()) {
      if (System.nanoTime() > until) {
        throw new FleetException(name + " does not come up. The end of its log:\n" + logTail());
      }
      TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
    }
  }

  /** Where it listens: the same over all starts once it has been up. */
  public URI url() {
    return URI.create("http://127.0.0.1:" + port);
  }

  /** Its node id, as it signs in PostgreSQL, by its log; null before it was up. */
  public @Nullable String session() {
    String last = null;
    try (Stream<String> lines = Files.lines(log)) {
      for (String line : (Iterable<String>) lines::iterator) {
        Matcher matcher = SESSION.matcher(line);
        if (line.contains("Serving") && matcher.find()) {
          last = matcher.group(1);
        }
      }
    } catch (IOException | UncheckedIOException e) {
      return null;
    }
    return last;
  }

  /** How long its log is; 0 while there is none. */
  public long logLength() {
    return log.toFile().length();
  }

  /**
   * What it has logged since.
   *
   * @param length of the log then
   */
  public String logFrom(long length) {
    try (RandomAccessFile in = new RandomAccessFile(log.toFile(), "r")) {
      byte[] rest = new byte[Math.toIntExact(Math.max(0, in.length() - length))];
      in.seek(length);
      in.readFully(rest);
      return new String(rest, StandardCharsets.UTF_8);
    } catch (IOException e) {
      return "";
    }
  }

  /** The end of its log. */
  public String logTail() {
    try (Stream<String> lines = Files.lines(log)) {
      List<String> all = lines.toList();
      return String.join("\n", all.subList(Math.max(0, all.size() - TAIL_LINES), all.size()));
    } catch (IOException | UncheckedIOException e) {
      return "(" + log + " cannot be read)";
    }
  }
}
