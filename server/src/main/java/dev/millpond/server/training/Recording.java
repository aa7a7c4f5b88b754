package dev.millpond.server.training;

import java.io.File;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * A JVM that writes down which classes it loads and how it uses them, and makes a cache of it when
 * it ends. Not thread-safe.
 */
final class Recording implements AutoCloseable {
  /** Where the JVM writes the cache: beside its place, under which nobody looks for one. */
  private static final String PART = ".part";

  /** Heap of a recording, which is small work. */
  private static final String HEAP = "-Xmx256m";

  private static final String AOT = "-XX:AOTCache=";
  private static final Duration TRIAL_PATIENCE = Duration.ofSeconds(20);

  /**
   * How caches are made and used on this machine.
   *
   * @param directory where caches are
   * @param name first part of the names of this build's caches
   * @param use the flags that use a cache; the first lacks its file
   * @param common further flags and the class path of every process
   */
  record Plan(Path directory, String name, List<String> use, List<String> common) {
    Plan {
      use = List.copyOf(use);
      common = List.copyOf(common);
    }

    Path cache(Profile profile) {
      return directory.resolve(name + "-" + profile.label());
    }

    Path work() {
      return directory.resolve("training");
    }

    private String recordFlag() {
      return use.getFirst().equals(AOT) ? "-XX:AOTCacheOutput=" : "-XX:ArchiveClassesAtExit=";
    }
  }

  /** What kind of process a cache is for. */
  enum Profile {
    SERVER,
    COMMAND;

    String label() {
      return name().toLowerCase(Locale.ROOT);
    }

    /** As in the launcher. */
    List<String> flags() {
      return switch (this) {
        case SERVER -> List.of("-XX:+UseParallelGC");
        case COMMAND -> List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");
      };
    }
  }

  private final Plan plan;
  private final Profile profile;
  private final Path part;
  private final Process process;

  private Recording(Plan plan, Profile profile, Path part, Process process) {
    this.plan = plan;
    this.profile = profile;
    this.part = part;
    this.process = process;
  }

  /** Starts to record a program. It may be ended by the end of its standard input. */
  static Recording start(Plan plan, Profile profile, String main, List<String> arguments)
      throws IOException {
    Path part = part(plan, profile);
    Files.deleteIfExists(part);
    List<String> command = java(plan, profile, List.of(HEAP, plan.recordFlag() + part), main);
    command.addAll(arguments);
    return new Recording(plan, profile, part, process(plan, profile, command));
  }

  private static Path part(Plan plan, Profile profile) {
    Path cache = plan.cache(profile);
    return cache.resolveSibling(cache.getFileName() + PART);
  }

  private static List<String> java(Plan plan, Profile profile, List<String> flags, String main) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(profile.flags());
    command.addAll(flags);
    command.addAll(plan.common());
    command.add(main);
    return command;
  }

  private static Process process(Plan plan, Profile profile, List<String> command)
      throws IOException {
    File log = plan.work().resolve(profile.label() + ".log").toFile();
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(plan.work().toFile())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log));
    // What the caller has set is for the caller's processes: agents, for one, keep a cache from
    // being made.
    builder
        .environment()
        .keySet()
        .removeIf(name ->
            name.startsWith("MILLPOND_")
                || name.equals("JAVA_TOOL_OPTIONS")
                || name.equals("JDK_JAVA_OPTIONS"));
    return builder.start();
  }

  boolean alive() {
    return process.isAlive();
  }

  /** Ends the program's input, waits for its end and puts the cache in its place. */
  void finish(Duration patience) throws IOException, InterruptedException {
    process.getOutputStream().close();
    if (!process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) {
      throw new IOException("The recording of " + profile.label() + " does not end");
    }
    if (process.exitValue() != 0 || !Files.isRegularFile(part)) {
      throw new IOException(
          "The recording of " + profile.label() + " ended with " + process.exitValue());
    }
    tryOut();
    // A file that a power cut has left half written would be found broken at each start.
    try (FileChannel channel = FileChannel.open(part, StandardOpenOption.WRITE)) {
      channel.force(true);
    }
    Files.move(part, plan.cache(profile), StandardCopyOption.ATOMIC_MOVE);
  }

  /** A cache that is not taken, or makes the JVM say something, is none. */
  private void tryOut() throws IOException, InterruptedException {
    List<String> flags = new ArrayList<>(plan.use());
    flags.set(0, flags.getFirst() + part);
    if (plan.use().getFirst().equals(AOT)) {
      flags.add("-XX:AOTMode=on");
    }
    List<String> command = java(plan, profile, flags, "dev.millpond.server.cli.MillpondCommand");
    command.add("--version");
    Path said = plan.work().resolve(profile.label() + ".log");
    Files.deleteIfExists(said);
    Process trial = process(plan, profile, command);
    try {
      boolean ended = trial.waitFor(TRIAL_PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
      String text = Files.readString(said);
      if (!ended || trial.exitValue() != 0 || !text.startsWith("millpond ")) {
        throw new IOException("The cache of " + profile.label() + " cannot be used: " + text);
      }
    } finally {
      trial.destroyForcibly();
    }
  }

  @Override
  public void close() throws IOException {
    process.destroyForcibly();
    Files.deleteIfExists(part);
    Files.deleteIfExists(part.resolveSibling(part.getFileName() + ".config"));
  }
}
