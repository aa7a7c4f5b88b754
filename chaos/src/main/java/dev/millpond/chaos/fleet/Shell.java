package dev.millpond.chaos.fleet;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Short commands, run to their end. Stateless. */
public final class Shell {
  private static final Duration LONGEST = Duration.ofMinutes(5);

  private Shell() {}

  /** What a command came to; exit code 127 when there is no such program. */
  public record Ran(int code, String output) {
    public boolean ok() {
      return code == 0;
    }
  }

  /**
   * Runs a command that ends by itself.
   *
   * @param environment on top of this process' own
   */
  static Ran run(Map<String, String> environment, List<String> command) {
    return run(environment, command, LONGEST);
  }

  /**
   * Runs a command.
   *
   * @param environment on top of this process' own
   * @param within it is killed after
   */
  static Ran run(Map<String, String> environment, List<String> command, Duration within) {
    try {
      ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
      builder.environment().putAll(environment);
      Process process = builder.start();
      process.getOutputStream().close();
      CompletableFuture.delayedExecutor(within.toMillis(), TimeUnit.MILLISECONDS)
          .execute(process::destroyForcibly);
      try (var output = process.getInputStream()) {
        String text = new String(output.readAllBytes(), StandardCharsets.UTF_8).strip();
        return new Ran(process.waitFor(), text);
      } catch (InterruptedException e) {
        process.destroyForcibly();
        Thread.currentThread().interrupt();
        return new Ran(124, "interrupted");
      }
    } catch (IOException e) {
      return new Ran(127, String.valueOf(e.getMessage()));
    }
  }
}
