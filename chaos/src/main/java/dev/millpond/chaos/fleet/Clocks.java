package dev.millpond.chaos.fleet;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Clocks of single members that go wrong: libfaketime is loaded before each of them and reads from
 * a file how far off its clock is. What it changes is the time of day; the monotonic clock and
 * waits go on as they are. Thread-safe.
 */
public final class Clocks {
  /** Names the library where it is nowhere below {@link #ROOTS}. */
  private static final String SETTING = "MILLPOND_FAKETIME";

  private static final String LIBRARY = "libfaketimeMT.so.1";
  private static final List<Path> ROOTS =
      List.of(Path.of("/usr/lib"), Path.of("/usr/lib64"), Path.of("/usr/local/lib"));
  private static final Pattern EPOCH = Pattern.compile("\\d+");

  /** A member looks at its file once in so many seconds. */
  private static final int LOOKS_EACH_SECONDS = 1;

  /** After this a clock that was set is the member's. */
  public static final Duration SEEN_WITHIN = Duration.ofMillis(1_000 * LOOKS_EACH_SECONDS + 200);

  private final Path directory;
  private final Path library;

  private Clocks(Path directory, Path library) {
    this.directory = directory;
    this.library = library;
  }

  /** Why clocks cannot be shifted on this machine; empty when they can. */
  public static Optional<String> missing() {
    Path library = library();
    if (library == null) {
      return Optional.of(
          "there is no " + LIBRARY + "; Debian has it in libfaketime, " + SETTING + " may name it");
    }
    Shell.Ran ran =
        Shell.run(
            Map.of("LD_PRELOAD", library.toString(), "FAKETIME", "-3600"), List.of("date", "+%s"));
    long here = System.currentTimeMillis() / 1_000;
    boolean shifted =
        EPOCH.matcher(ran.output()).matches() && here - Long.parseLong(ran.output()) > 3_000;
    return shifted ? Optional.empty() : Optional.of(library + " shifts no clock: " + ran.output());
  }

  private static @Nullable Path library() {
    String named = System.getenv(SETTING);
    if (named != null) {
      return Path.of(named);
    }
    return ROOTS.stream().map(Clocks::below).filter(p -> p != null).findFirst().orElse(null);
  }

  /** In {@code faketime}, there or below the directory of an architecture. */
  private static @Nullable Path below(Path root) {
    Predicate<Path> there = Files::isReadable;
    try (var directories = Files.newDirectoryStream(root, "*linux*")) {
      for (Path each : directories) {
        Path library = each.resolve("faketime").resolve(LIBRARY);
        if (there.test(library)) {
          return library;
        }
      }
    } catch (IOException e) {
      return null;
    }
    Path library = root.resolve("faketime").resolve(LIBRARY);
    return there.test(library) ? library : null;
  }

  /**
   * Clocks that are right so far.
   *
   * @param directory for their files, which exists
   */
  static Clocks in(Path directory) {
    Path library = library();
    if (library == null) {
      throw new FleetException(missing().orElse("clocks cannot be shifted here"));
    }
    return new Clocks(directory, library);
  }

  /** What a member is started with. */
  Map<String, String> environment(String member) {
    if (!Files.exists(file(member))) {
      set(member, Duration.ZERO);
    }
    return Map.of(
        "LD_PRELOAD",
        library.toString(),
        "FAKETIME_TIMESTAMP_FILE",
        file(member).toString(),
        "FAKETIME_CACHE_DURATION",
        Integer.toString(LOOKS_EACH_SECONDS),
        "FAKETIME_DONT_FAKE_MONOTONIC",
        "1",
        // With it, as the library would choose by itself, a JVM's timed waits end at once.
        "FAKETIME_FORCE_MONOTONIC_FIX",
        "0",
        "NO_FAKE_STAT",
        "1");
  }

  /**
   * Sets the clock of a member, which notices {@link #SEEN_WITHIN}.
   *
   * @param off in whole seconds; negative for one that is behind
   */
  public void set(String member, Duration off) {
    Path part = directory.resolve(member + ".clock.part");
    try {
      Files.writeString(part, "%+d%n".formatted(off.toSeconds()));
      Files.move(
          part, file(member), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new FleetException("Cannot set the clock of " + member, e);
    }
  }

  private Path file(String member) {
    return directory.resolve(member + ".clock");
  }
}
