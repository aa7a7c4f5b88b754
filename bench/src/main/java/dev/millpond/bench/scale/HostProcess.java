package dev.millpond.bench.scale;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.json.JsonMapper;

/**
 * A process on a host: a node of Millpond that answers questions line by line, or a server. It ends
 * with its input, so that nothing stays when this JVM is killed. One question at a time.
 */
final class HostProcess implements AutoCloseable {
  private static final JsonMapper JSON = new JsonMapper();
  private static final long STOP_SECONDS = 10;
  private static final int LINES_MAX = 1_000;

  private final String host;
  private final Process process;
  private final LinkedBlockingQueue<String> answers = new LinkedBlockingQueue<>(LINES_MAX);

  private HostProcess(String host, Process process) {
    this.host = host;
    this.process = process;
  }

  /** Starts a node; {@link #ask} what it answers. */
  static HostProcess node(String host, List<String> command, Path log) throws IOException {
    HostProcess started = new HostProcess(host, launch(command, log, false));
    Thread.ofPlatform().daemon().name("answers-" + host).start(started::read);
    return started;
  }

  /** Starts a server, which says nothing but into its log. */
  static HostProcess server(String host, List<String> command, Path log) throws IOException {
    return new HostProcess(host, launch(command, log, true));
  }

  private static Process launch(List<String> command, Path log, boolean all) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()));
    if (all) {
      builder.redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    }
    return builder.start();
  }

  private void read() {
    try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        answers.put(line);
      }
    } catch (IOException | InterruptedException e) {
      return; // it has ended
    }
  }

  String host() {
    return host;
  }

  long pid() {
    return process.pid();
  }

  boolean alive() {
    return process.isAlive();
  }

  /** Says something, and goes on without waiting. */
  void tell(String command) throws IOException {
    OutputStream out = process.getOutputStream();
    out.write((command + "\n").getBytes(StandardCharsets.UTF_8));
    out.flush();
  }

  /** Waits for the next answer. */
  NodeReport answer(long seconds) throws InterruptedException {
    String line = answers.poll(seconds, TimeUnit.SECONDS);
    if (line == null) {
      throw new IllegalStateException(
          host + (alive() ? " gave no answer within " + seconds + " s" : " has ended"));
    }
    return JSON.readValue(line, NodeReport.class);
  }

  NodeReport ask(String command, long seconds) throws IOException, InterruptedException {
    tell(command);
    return answer(seconds);
  }

  /** Ends it as a power cut would. */
  void kill() {
    process.destroyForcibly();
    await();
  }

  private boolean await() {
    try {
      return process.waitFor(STOP_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** Ends it in order, then by force. */
  @Override
  public void close() {
    try {
      process.getOutputStream().close();
    } catch (IOException e) {
      // it has ended
      process.destroy();
    }
    // SIGINT is the fast way down of PostgreSQL; a node has gone with its input by then
    Hosts.run(List.of("kill", "-INT", Long.toString(process.pid())));
    if (!await()) {
      kill();
    }
  }
}
