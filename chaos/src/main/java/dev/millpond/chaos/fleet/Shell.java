package dev.millpond.chaos.fleet;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** Short commands, run to their end. Stateless. */
final class Shell {
  private Shell() {}

  /** What a command came to; exit code 127 when there is no such program. */
  record Ran(int code, String output) {
    boolean ok() {
      return code == 0;
    }
  }

  /**
   * Runs a command that ends by itself.
   *
   * @param environment on top of this process' own
   */
  static Ran run(Map<String, String> environment, List<String> command) {
    try {
      ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
      builder.environment().putAll(environment);
      Process process = builder.start();
      process.getOutputStream().close();
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
