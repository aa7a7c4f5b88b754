package dev.millpond.embedded;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A second JVM with this one's class path, for tests of what a JVM leaves behind. It runs {@link
 * #main}, which prints one line and then waits for its standard input to end.
 */
final class OtherJvm implements AutoCloseable {
  private static final String READY = "ready ";

  private final Process process;
  private final BufferedReader output;
  private final StringBuilder seen = new StringBuilder();
  private boolean killed;

  private OtherJvm(Process process) {
    this.process = process;
    this.output = process.inputReader(StandardCharsets.UTF_8);
  }

  static OtherJvm start(
      Map<String, String> environment, List<String> jvmOptions, String... arguments)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
    command.addAll(jvmOptions);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), OtherJvm.class.getName()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(environment);
    return new OtherJvm(builder.start());
  }

  static OtherJvm start(String... arguments) throws IOException {
    return start(Map.of(), List.of(), arguments);
  }

  /** Waits for the line that says the servers run and returns the rest of it. */
  String awaitReady() throws IOException {
    for (String line = output.readLine(); line != null; line = output.readLine()) {
      seen.append(line).append('\n');
      if (line.startsWith(READY)) {
        return line.substring(READY.length());
      }
    }
    throw new AssertionError("The other JVM ended early:\n" + seen);
  }

  /** All it has printed so far. */
  String seen() {
    return seen.toString();
  }

  /** Ends it as kill -9 does: no shutdown hook runs. */
  void kill() throws InterruptedException {
    killed = true;
    process.destroyForcibly().waitFor();
  }

  /** Lets it end in order. */
  @Override
  public void close() throws IOException {
    if (killed) {
      return;
    }
    process.getOutputStream().close();
    output.lines().forEach(line -> seen.append(line).append('\n'));
    process.onExit().join();
  }

  public static void main(String[] arguments) throws IOException {
    Path directory = Path.of(arguments.length > 1 ? arguments[1] : ".");
    String answer =
        switch (arguments[0]) {
          case "postgres" -> {
            EmbeddedPostgres postgres = EmbeddedPostgres.start(directory);
            postgres.createDatabase("kept");
            yield postgres.pid() + " " + postgres.port() + " " + postgres.dataDirectory();
          }
          case "redis" -> {
            EmbeddedRedis redis = EmbeddedRedis.start(directory);
            try (RedisConnection connection = RedisConnection.open(redis.url())) {
              connection.command("SET", "kept", "yes");
            }
            yield redis.pid() + " " + redis.port() + " " + redis.dataDirectory();
          }
          case "servers" -> {
            TestServers servers = TestServers.get();
            yield servers.freshDatabase() + " " + servers.redis().url(); // in use to the end
          }
          case "programs" -> Binaries.postgres(directory, Privileges.unprivileged()).toString();
          default -> throw new IllegalArgumentException(arguments[0]);
        };
    System.out.println(READY + answer);
    while (System.in.read() >= 0) {
      // waits for the end of the input
    }
  }
}
