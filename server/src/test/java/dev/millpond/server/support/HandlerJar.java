package dev.millpond.server.support;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;

/** Makes jars of handlers as a user's build would. */
public final class HandlerJar {
  private static final String SERVICE = "META-INF/services/dev.millpond.api.HandlerModule";

  private HandlerJar() {}

  /** A jar that names the class as its module, and holds what the source compiles to. */
  public static Path compile(Path directory, String className, String source) throws IOException {
    Path classes = Files.createDirectories(directory.resolve(className + "-classes"));
    Path file = Files.writeString(classes.resolve(className + ".java"), source);
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    int code =
        compiler.run(
            null,
            null,
            null,
            "-classpath",
            System.getProperty("java.class.path"),
            "-proc:none",
            "-d",
            classes.toString(),
            file.toString());
    if (code != 0) {
      throw new IOException("The source of " + className + " does not compile");
    }
    Map<String, byte[]> entries = new TreeMap<>();
    List<Path> compiled;
    try (Stream<Path> files = Files.list(classes)) {
      compiled = files.filter(path -> path.toString().endsWith(".class")).toList();
    }
    for (Path path : compiled) {
      entries.put(String.valueOf(path.getFileName()), Files.readAllBytes(path));
    }
    entries.put(SERVICE, className.getBytes(StandardCharsets.UTF_8));
    return write(directory.resolve(className + ".jar"), entries);
  }

  /** A jar that names a class which it does not hold. */
  public static Path naming(Path file, String className) throws IOException {
    return write(file, Map.of(SERVICE, className.getBytes(StandardCharsets.UTF_8)));
  }

  /** A jar without a module. */
  public static Path empty(Path file) throws IOException {
    return write(file, Map.of("readme.txt", new byte[0]));
  }

  private static Path write(Path file, Map<String, byte[]> entries) throws IOException {
    try (OutputStream out = Files.newOutputStream(file);
        JarOutputStream jar = new JarOutputStream(out)) {
      for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
        jar.putNextEntry(new JarEntry(entry.getKey()));
        jar.write(entry.getValue());
        jar.closeEntry();
      }
    }
    return file;
  }
}
