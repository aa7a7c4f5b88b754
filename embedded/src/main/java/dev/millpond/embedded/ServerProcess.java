package dev.millpond.embedded;

import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * A server started as a child in a session of its own (where {@code setsid} exists), so that Ctrl-C
 * in a terminal reaches the JVM alone, which then stops the server in the right order. It has no
 * standard input and writes to a log file. The static methods work on any process by its id.
 */
final class ServerProcess {
  private static final long ROTATE_LOG_BYTES = 16L << 20;
  private static final int TAIL_BYTES = 2_000;
  private static final Duration COMMAND_PATIENCE = Duration.ofMinutes(2);

  private final Process process;
  private final Path log;
  private final long logStart;

  private ServerProcess(Process process, Path log, long logStart) {
    this.process = process;
    this.log = log;
    this.logStart = logStart;
  }

  static ServerProcess launch(List<String> command, Path log) {
    List<String> whole = new ArrayList<>();
    onPath("setsid").ifPresent(setsid -> whole.add(setsid.toString()));
    whole.addAll(command);
    try {
      rotate(log);
      long logStart = Files.exists(log) ? Files.size(log) : 0;
      ProcessBuilder builder = detached(whole);
      builder
          .redirectErrorStream(true)
          .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
      return new ServerProcess(builder.start(), log, logStart);
    } catch (IOException e) {
      throw new EmbeddedServerException(
          "Cannot run " + whole.getFirst() + " with its log in " + log + ".", e);
    }
  }

  /**
   * Whether the launched command still runs; for a server started through {@code su} that is {@code
   * su}.
   */
  boolean isAlive() {
    return process.isAlive();
  }

  /** Ends a child that did not become a server. */
  void destroy() {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
    awaitChild(Duration.ofSeconds(10));
  }

  /** Collects the child after its server has ended, so that no zombie is left. */
  boolean awaitChild(Duration patience) {
    try {
      return process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** The end of what this run wrote to its log. */
  String logTail() {
    try (SeekableByteChannel channel = Files.newByteChannel(log)) {
      channel.position(Math.max(logStart, channel.size() - TAIL_BYTES));
      ByteBuffer buffer = ByteBuffer.allocate(TAIL_BYTES);
      while (buffer.hasRemaining() && channel.read(buffer) >= 0) {
        // reads on
      }
      return StandardCharsets.UTF_8.decode(buffer.flip()).toString().strip();
    } catch (IOException e) {
      return "(" + log + " cannot be read)";
    }
  }

  /** Whether a process runs. A zombie, which nobody collected, has ended. */
  static boolean isAlive(long pid) {
    if (!ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false)) {
      return false;
    }
    Path stat = Path.of("/proc", Long.toString(pid), "stat");
    if (!Files.exists(Path.of("/proc/self/stat"))) {
      return true;
    }
    try {
      String line = Files.readString(stat, StandardCharsets.ISO_8859_1);
      // "pid (name) state …": the name may hold anything, so look behind its last bracket.
      return line.charAt(line.lastIndexOf(')') + 2) != 'Z';
    } catch (IOException ended) {
      return false;
    }
  }

  static boolean awaitEnd(long pid, Duration patience) {
    Poll poll = new Poll(patience);
    do {
      if (!isAlive(pid)) {
        return true;
      }
    } while (poll.next());
    return false;
  }

  /**
   * Whether the command line of a process mentions a text; {@code false} when it cannot be read.
   */
  static boolean commandLineMentions(long pid, String text) {
    try {
      String commandLine =
          Files.readString(
              Path.of("/proc", Long.toString(pid), "cmdline"), StandardCharsets.ISO_8859_1);
      return commandLine.contains(
          new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1));
    } catch (IOException notLinux) {
      return ProcessHandle.of(pid)
          .flatMap(handle -> handle.info().arguments())
          .map(arguments -> String.join("\0", arguments).contains(text))
          .orElse(false);
    }
  }

  /** Asks a process to end by a signal, and wakes it to hear it should it be frozen. */
  static void end(long pid, String signal) {
    signal(pid, signal);
    signal(pid, "CONT");
  }

  /** Sends a signal by name ({@code QUIT}); a process that is already gone is fine. */
  static void signal(long pid, String signal) {
    run(List.of("sh", "-c", "kill -s \"$0\" \"$1\"", signal, Long.toString(pid)));
  }

  /** The result of a short command. */
  record Ran(int exitCode, String output) {
    boolean ok() {
      return exitCode == 0;
    }
  }

  /**
   * Runs a short command to its end, without standard input; exit code 127 when it cannot be
   * started.
   */
  static Ran run(List<String> command) {
    Process process;
    try {
      process = detached(command).redirectErrorStream(true).start();
    } catch (IOException e) {
      return new Ran(127, String.valueOf(e.getMessage()));
    }
    try (var output = process.getInputStream()) {
      String text = new String(output.readAllBytes(), StandardCharsets.UTF_8);
      if (!process.waitFor(COMMAND_PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
        process.destroyForcibly();
        return new Ran(124, text);
      }
      return new Ran(process.exitValue(), text);
    } catch (IOException e) {
      process.destroyForcibly();
      return new Ran(126, String.valueOf(e.getMessage()));
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
      return new Ran(124, "interrupted");
    }
  }

  static Optional<Path> onPath(String program) {
    String path =
        Optional.ofNullable(System.getenv("PATH"))
            .orElse("/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin");
    return path.lines()
        .flatMap(all -> List.of(all.split(File.pathSeparator, -1)).stream())
        .filter(part -> !part.isEmpty())
        .map(part -> Path.of(part, program))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /**
   * No standard input, no working directory to keep busy or to be refused, none of the caller's PG
   * variables.
   */
  private static ProcessBuilder detached(List<String> command) {
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(new File("/"))
            .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")));
    builder.environment().keySet().removeIf(name -> name.startsWith("PG"));
    builder.environment().put("LC_ALL", "C");
    return builder;
  }

  private static void rotate(Path log) throws IOException {
    if (Files.exists(log) && Files.size(log) > ROTATE_LOG_BYTES) {
      Files.move(
          log, log.resolveSibling(log.getFileName() + ".1"), StandardCopyOption.REPLACE_EXISTING);
    }
  }
}
