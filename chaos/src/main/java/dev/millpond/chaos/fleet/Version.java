package dev.millpond.chaos.fleet;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A version of Millpond that processes are started from.
 *
 * @param classPath of its processes
 */
public record Version(String classPath) {
  /** What is no part of a server; handlers of a campaign come in a jar of their own. */
  private static final String NO_SERVER = "millpond-(chaos|scenarios|bench|faults)-.*";

  /** Settings of this process that fit its own jars alone. */
  private static final List<String> OF_OWN_JARS =
      List.of(
          "-XX:AOTCache", "-XX:SharedArchiveFile", "-Dmillpond.home=", "-Dmillpond.start.cache=");

  /** The one that this process is of. */
  public static Version own() {
    return new Version(System.getProperty("java.class.path"));
  }

  /**
   * One that was built elsewhere.
   *
   * @param layout the directory that dist assembles
   * @throws FleetException when it is none
   */
  public static Version in(Path layout) throws IOException {
    Path names = layout.resolve("classpath");
    if (!Files.isRegularFile(names)) {
      throw new FleetException(layout + " is no layout of Millpond: it has no file classpath");
    }
    Path lib = layout.toAbsolutePath().resolve("lib");
    return new Version(
        Stream.of(Files.readString(names).strip().split(":", -1))
            .map(name -> name.replace("@lib@/", ""))
            .filter(name -> !name.matches(NO_SERVER))
            .map(name -> lib.resolve(name).toString())
            .collect(Collectors.joining(File.pathSeparator)));
  }

  /** The command without settings that would not fit. */
  List<String> fitted(List<String> command) {
    return equals(own())
        ? command
        : command.stream()
            .filter(word -> OF_OWN_JARS.stream().noneMatch(word::startsWith))
            .toList();
  }
}
