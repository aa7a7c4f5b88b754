package dev.millpond.engine.worker.forked;

import dev.millpond.api.HandlerModule;
import dev.millpond.engine.ForkedConfig;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.Modifier;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How children are started: in a session of their own, with a class path that has what the parent
 * and its handlers have, and memory within bounds. Immutable.
 *
 * <p>The shell puts the channel of the frames on descriptor 3 and the standard output with the
 * standard error, so that nothing a handler prints gets between the frames.
 */
final class ChildCommand {
  private static final String REDIRECT = "exec \"$@\" 3>&1 1>&2";
  private static final List<String> SHELL_PLACES = List.of("/usr/bin", "/bin");

  private final List<String> command;

  private ChildCommand(List<String> command) {
    this.command = List.copyOf(command);
  }

  /** Why children cannot be started on this machine; null when they can. */
  static @Nullable String problem() {
    if (!ProcFiles.readable()) {
      return "this system has no /proc; children are watched through it, so they need Linux";
    }
    if (find("setsid") == null) {
      return "the program setsid (of util-linux or busybox) is not in " + SHELL_PLACES;
    }
    return null;
  }

  /**
   * Why a module's handlers cannot be made in another process; null when they can.
   *
   * @param module as it was made in this process
   */
  static @Nullable String problem(HandlerModule module) {
    Class<?> type = module.getClass();
    boolean constructed =
        Arrays.stream(type.getConstructors()).anyMatch(c -> c.getParameterCount() == 0);
    if (!constructed) {
      return type.getName() + " has no public constructor without parameters";
    }
    if (type.getCanonicalName() == null || !Modifier.isPublic(type.getModifiers())) {
      return type.getName() + " is no public class with a name";
    }
    try {
      classPath(List.of(type));
      return null;
    } catch (IllegalArgumentException e) {
      return e.getMessage();
    }
  }

  static ChildCommand of(ForkedConfig config, List<Class<?>> modules) {
    List<String> command = new ArrayList<>();
    command.add(Objects.requireNonNull(find("setsid"), "setsid"));
    command.addAll(List.of("sh", "-c", REDIRECT, "millpond-child"));
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ForkedConfig.Memory memory = config.memory();
    command.addAll(
        List.of(
            "-XX:+UseSerialGC",
            "-Xms" + Math.min(memory.heapMib(), 16) + "m",
            "-Xmx" + memory.heapMib() + "m",
            "-XX:MaxMetaspaceSize=" + memory.metaspaceMib() + "m",
            "-XX:MaxDirectMemorySize=" + memory.directMib() + "m",
            "-XX:ReservedCodeCacheSize=" + memory.codeCacheMib() + "m",
            "-XX:+ExitOnOutOfMemoryError",
            "-XX:-CreateCoredumpOnCrash",
            "-XX:ErrorFile=/dev/null",
            "-XX:-UsePerfData",
            "-Xshare:auto",
            "-Djava.awt.headless=true"));
    command.addAll(config.javaOptions());
    command.add("-cp");
    command.add(classPath(modules));
    command.add(ChildMain.class.getName());
    return new ChildCommand(command);
  }

  private static @Nullable String find(String program) {
    for (String place : SHELL_PLACES) {
      Path path = Path.of(place, program);
      if (Files.isExecutable(path)) {
        return path.toString();
      }
    }
    return null;
  }

  /**
   * This process's class path and that of its modules, flat.
   *
   * @throws IllegalArgumentException when a class loader has none
   */
  static String classPath(List<Class<?>> modules) {
    Set<String> entries = new LinkedHashSet<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      if (!entry.isEmpty()) {
        entries.add(Path.of(entry).toAbsolutePath().toString());
      }
    }
    for (Class<?> module : modules) {
      ClassLoader loader = module.getClassLoader();
      while (loader != null && !loader.equals(ClassLoader.getSystemClassLoader())) {
        if (!(loader instanceof URLClassLoader files)) {
          throw new IllegalArgumentException(
              "the class loader " + loader + " of " + module.getName() + " has no class path");
        }
        for (URL url : files.getURLs()) {
          entries.add(file(module, url));
        }
        loader = loader.getParent();
      }
    }
    return String.join(File.pathSeparator, entries);
  }

  private static String file(Class<?> module, URL url) {
    try {
      URI uri = url.toURI();
      if ("file".equals(uri.getScheme())) {
        return Path.of(uri).toString();
      }
    } catch (URISyntaxException | IllegalArgumentException e) {
      // Refused below.
    }
    throw new IllegalArgumentException(
        module.getName() + " is loaded from " + url + ", which is no file of its own");
  }

  /**
   * Starts a child. Its environment is this process's without Millpond's variables, the database's
   * password among them, and without options meant for this JVM.
   */
  Process start() throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command);
    builder
        .environment()
        .keySet()
        .removeIf(name ->
            name.startsWith("MILLPOND_")
                || name.equals("JAVA_TOOL_OPTIONS")
                || name.equals("JDK_JAVA_OPTIONS"));
    return builder.start();
  }
}
