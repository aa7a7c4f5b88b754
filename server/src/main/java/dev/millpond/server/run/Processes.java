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

  /**
   * A command that runs {@code millpond} with these arguments.
   *
   * @param heapMegabytes the most heap it may take
   */
  public static List<String> millpond(String classPath, int heapMegabytes, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    for (String setting : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
      if (KEPT.stream().anyMatch(setting::startsWith)
          && !setting.startsWith("-XX:AOTCacheOutput")) {
        command.add(setting);
      }
    }
    command.add("-Xmx" + heapMegabytes + "m");
    command.add("-XX:+ExitOnOutOfMemoryError");
    command.add("-cp");
    command.add(classPath);
    command.add(MAIN);
    command.addAll(arguments);
    return command;
  }
}
