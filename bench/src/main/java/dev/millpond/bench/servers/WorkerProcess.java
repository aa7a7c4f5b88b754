package dev.millpond.bench.servers;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A process of the bench's own class path that counts. It says {@code = ready}; each line it is
 * sent it answers with {@code =} and its counts, separated by blanks; at the end of its input it
 * says them once more and ends, so that it ends with this JVM in any case. Other lines are passed
 * on to the standard error output. Not thread-safe.
 */
public final class WorkerProcess implements AutoCloseable {
  /** Begins a line that is meant for {@link #start} and {@link #counts}. */
  public static final String ANSWER = "= ";

  private static final long END_SECONDS = 20;

  private final Process process;
  private final Writer in;
  private final BufferedReader out;

  /** Without it a worker would see its servers vanish before its input ends. */
  private final Thread killer;

  private WorkerProcess(Process process) {
    this.process = process;
    this.in = process.outputWriter(StandardCharsets.UTF_8);
    this.out = process.inputReader(StandardCharsets.UTF_8);
    this.killer = new Thread(process::destroyForcibly, "bench-worker-end");
    Runtime.getRuntime().addShutdownHook(killer);
  }

  /**
   * Starts one and waits until it is ready.
   *
   * @throws IOException when it ends before
   */
  public static WorkerProcess start(Class<?> main, List<String> arguments) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-XX:+UseParallelGC");
    command.add("-DMILLPOND_LOG_LEVEL=WARN");
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(main.getName());
    command.addAll(arguments);
    WorkerProcess started =
        new WorkerProcess(
            new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start());
    try {
      String first = started.answer();
      if (!first.equals("ready")) {
        throw new IOException("a worker process said " + first + " instead of ready");
      }
      return started;
    } catch (IOException e) {
      started.close();
      throw e;
    }
  }

  public long pid() {
    return process.pid();
  }

  /** Asks for its counts. */
  public long[] counts() {
    try {
      in.write("\n");
      in.flush();
      return parsed(answer());
    } catch (IOException e) {
      throw new UncheckedIOException("worker process " + pid() + " does not answer", e);
    }
  }

  /** Lets it end its work; its last counts. */
  public long[] end() {
    try {
      in.close();
      return parsed(answer());
    } catch (IOException e) {
      throw new UncheckedIOException("worker process " + pid() + " did not end in order", e);
    } finally {
      close();
    }
  }

  private String answer() throws IOException {
    for (String line = out.readLine(); line != null; line = out.readLine()) {
      if (line.startsWith(ANSWER)) {
        return line.substring(ANSWER.length());
      }
      System.err.println(line);
    }
    throw new IOException("worker process " + pid() + " has ended");
  }

  private static long[] parsed(String counts) {
    return Arrays.stream(counts.split(" ", -1)).mapToLong(Long::parseLong).toArray();
  }

  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(killer);
    } catch (IllegalStateException e) {
      return; // this JVM ends, and it with it
    }
    try {
      in.close();
    } catch (IOException e) {
      process.destroy(); // its input is closed either way
    }
    try {
      if (process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
        return;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    process.destroyForcibly();
  }
}
