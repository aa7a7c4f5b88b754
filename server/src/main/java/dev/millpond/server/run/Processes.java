package dev.millpond.server.run;

import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The command lines of this program's own processes: the same Java, class path and JVM settings as
 * this process, with a heap of their own.
 */
public final class Processes {
  private static final String MAIN = "dev.millpond.server.cli.MillpondCommand";

  /** Settings that a child takes over. Not the heap, nor agents. */
  private static final List<String> KEPT =
      List.of("-XX:", "-Xlog:", "-Xshare:", "--enable-native-access", "-Dmillpond.", "-Djava.awt.");

  private Processes() {}

  /** Settings of one process alone: two cannot write one file or hold one port. */
  private static final List<String> OWN =
      List.of(
          "-XX:AOTCacheOutput",
          "-XX:AOTMode",
          "-XX:AOTConfiguration",
          "-XX:ArchiveClassesAtExit",
          "-agentlib:jdwp",
          "-Xrunjdwp",
          "-Dcom.sun.management.");

  /**
   * A command that runs {@code millpond} with these arguments.
   *
   * @param heapMegabytes the most heap it may take
   */
  public static List<String> millpond(String classPath, int heapMegabytes, List<String> arguments) {
    List<String> settings = new ArrayList<>(settings());
    settings.removeIf(setting -> KEPT.stream().noneMatch(setting::startsWith));
    settings.add("-Xmx" + heapMegabytes + "m");
    return command(settings, classPath, arguments);
  }

  /**
   * A command that runs {@code millpond} with all settings of this process, its heap and agents
   * too, for a process that takes its place.
   */
  public static List<String> likeThis(List<String> arguments) {
    return command(settings(), System.getProperty("java.class.path"), arguments);
  }

  private static List<String> settings() {
    return ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(setting -> OWN.stream().noneMatch(setting::startsWith))
        .toList();
  }

  private static List<String> command(
      List<String> settings, String classPath, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(settings);
    // out of memory somewhere is out of memory everywhere: better a death that others see
    command.add("-XX:+ExitOnOutOfMemoryError");
    command.add("-cp");
    command.add(classPath);
    command.add(MAIN);
    command.addAll(arguments);
    return command;
  }
}
