package dev.millpond.bench.http;

import dev.millpond.server.cli.MillpondCommand;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.json.JsonMapper;

/**
 * A web server in a process of its own, so that its CPU and memory are not those of the load: the
 * same Java, class path and JVM settings as this process; Millpond's with the small young
 * generation that the launcher gives it. It says where it listens in a file {@code {"url":…}}.
 * Ended at the end.
 */
final class JavaProcess implements AutoCloseable {
  private static final long START_MILLIS = 60_000;
  private static final long END_MILLIS = 20_000;
  private static final long LOOK_MILLIS = 20;

  /** Settings that it takes over. Not agents. */
  private static final List<String> KEPT =
      List.of("-XX:", "-Xm", "-Xlog:", "-Xshare:", "--enable-native-access", "-Djava.awt.");

  /** What the launcher gives a server, and not this program. */
  private static final String LAUNCHERS_YOUNG = "-XX:MaxNewSize=128m";

  private final Process process;
  private final URI url;
  private final Thread killer;

  private JavaProcess(Process process, URI url, Thread killer) {
    this.process = process;
    this.url = url;
    this.killer = killer;
  }

  /**
   * Starts one and waits until it listens.
   *
   * @param directory for what it prints
   * @param runFile where it says its URL
   * @throws IOException with what it has printed, when it does not start
   */
  static JavaProcess start(Class<?> main, String[] arguments, Path directory, Path runFile)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    for (String setting : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
      if (KEPT.stream().anyMatch(setting::startsWith)) {
        command.add(setting);
      }
    }
    if (main == MillpondCommand.class && command.stream().noneMatch(JavaProcess::setsYoung)) {
      command.add(LAUNCHERS_YOUNG);
    }
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    command.addAll(List.of(arguments));
    File output = directory.resolve(main.getSimpleName() + ".log").toFile();
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output);
    builder.environment().put("MILLPOND_LOG_LEVEL", "WARN");
    Process process = builder.start();
    Thread killer =
        new Thread(
            () -> {
              process.destroyForcibly();
              Temporary.delete(directory);
            },
            "bench-server-end");
    Runtime.getRuntime().addShutdownHook(killer);
    long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(START_MILLIS);
    try {
      while (!Files.exists(runFile)) {
        if (process.waitFor(LOOK_MILLIS, TimeUnit.MILLISECONDS) || System.nanoTime() > until) {
          throw new IOException("a server did not start: " + Files.readString(output.toPath()));
        }
      }
      String url = JsonMapper.builder().build().readTree(runFile.toFile()).get("url").asString();
      return new JavaProcess(process, URI.create(url), killer);
    } catch (IOException | InterruptedException | RuntimeException e) {
      process.destroyForcibly();
      forget(killer);
      throw e;
    }
  }

  private static boolean setsYoung(String setting) {
    return setting.startsWith("-Xmn") || setting.contains("NewSize=");
  }

  /** False when this JVM ends: then the hook runs. */
  private static boolean forget(Thread killer) {
    try {
      return Runtime.getRuntime().removeShutdownHook(killer);
    } catch (IllegalStateException e) {
      return false;
    }
  }

  URI url() {
    return url;
  }

  long pid() {
    return process.pid();
  }

  @Override
  public void close() {
    if (!forget(killer)) {
      return; // this JVM ends, and it with it; or it was closed before
    }
    process.destroy();
    try {
      if (!process.waitFor(END_MILLIS, TimeUnit.MILLISECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
