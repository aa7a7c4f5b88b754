package dev.millpond.engine.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.embedded.ClassImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A child JVM that takes part in the fleet until it is struck; see {@link SubjectMain}. */
final class Subject implements AutoCloseable {
  static final String NAME = "subject";
  static final String ACKNOWLEDGED = "acknowledged";
  static final String LEDGER = "ledger";
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private static final ClassImage IMAGE = ClassImage.make();

  private final Process process;
  private final Path output;
  private final Writer input;

  private Subject(Process process, Path output) {
    this.process = process;
    this.output = output;
    this.input = process.outputWriter(StandardCharsets.UTF_8);
  }

  /** Starts it; {@link #awaitReady()} waits until it is connected. */
  static Subject start(Path folder, String pgUrl, String redisUrl, String queue) {
    Path output = folder.resolve("output");
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xshare:auto",
                "-Xmx128m",
                "-Dlogback.configurationFile="
                    + System.getProperty("logback.configurationFile", "logback.xml")));
    ClassImage.Use image = IMAGE.use();
    command.addAll(image.options());
    command.addAll(List.of(SubjectMain.class.getName(), pgUrl, redisUrl, folder.toString(), queue));
    try {
      ProcessBuilder builder =
          new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
      return new Subject(image.by(builder.start()), output);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void awaitReady() {
    await().atMost(PATIENCE).until(() -> !process.isAlive() || said().contains(SubjectMain.READY));
    assertThat(process.isAlive()).as(this::said).isTrue();
  }

  /** Tells it what to do, and does not wait for it. */
  void tell(String line) {
    try {
      input.write(line + "\n");
      input.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Waits until it has done what it was told. */
  void awaitDone(String line) {
    await().atMost(PATIENCE).until(() -> said().contains(line + ": "));
  }

  /** Waits until it goes by this version of what operators have set. */
  void awaitSettings(long version) {
    String line = "follow " + version;
    tell(line);
    awaitDone(line);
  }

  /** Ends it as kill -9 does. */
  void kill() {
    process.destroyForcibly();
    process.onExit().join();
  }

  /** Lets it end in order. */
  void end() {
    try {
      input.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    process.onExit().join();
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** All it has written so far. */
  String said() {
    try {
      return Files.readString(output);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    kill();
  }
}
