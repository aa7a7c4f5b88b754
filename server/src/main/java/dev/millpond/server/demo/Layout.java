package dev.millpond.server.demo;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * Where the program's own parts are, from {@code -Dmillpond.home}, which the launcher sets.
 *
 * @param handlers the jar with the demo's handlers and pictures
 * @param files a folder of files to work on: the sources in a checkout, else the program's jars
 */
record Layout(Path handlers, Path files) {
  /**
   * A class path without what lies beside the handlers: the demo's receivers use these libraries,
   * but in a worker they belong to the handlers.
   */
  String withoutHandlers(String classPath) {
    Path folder = handlers.resolveSibling(".").normalize();
    return Arrays.stream(classPath.split(File.pathSeparator, -1))
        .filter(entry -> !Path.of(entry).toAbsolutePath().normalize().startsWith(folder))
        .collect(Collectors.joining(File.pathSeparator));
  }

  /**
   * Looks at the folders.
   *
   * @throws DemoException when this is no complete layout
   */
  static Layout find() {
    String home = System.getProperty("millpond.home");
    if (home == null) {
      throw new DemoException("-Dmillpond.home is not set. Start the demo with ./millpond demo.");
    }
    Path root = Path.of(home).toAbsolutePath().normalize();
    Path handlers = root.resolve("handlers/millpond-examples.jar");
    if (!Files.isRegularFile(handlers)) {
      throw new DemoException(handlers + " is missing. Build again with: mvn package");
    }
    // In a checkout the layout is <checkout>/dist/target/millpond.
    Path checkout = root.resolve("../../..").normalize();
    boolean inCheckout =
        Files.isRegularFile(checkout.resolve("pom.xml"))
            && Files.isDirectory(checkout.resolve("engine/src"));
    return new Layout(handlers, inCheckout ? checkout : root.resolve("lib"));
  }
}
