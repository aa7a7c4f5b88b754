package dev.millpond.chaos.fleet;

import dev.millpond.api.HandlerModule;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;

/** A jar that brings handlers of this class path to a worker. Stateless. */
public final class HandlerJar {
  private static final String SERVICE = "META-INF/services/" + HandlerModule.class.getName();

  private HandlerJar() {}

  /** For a worker that has the same class path: it names the module and holds no class. */
  public static Path write(Path file, Class<? extends HandlerModule> module) throws IOException {
    return write(file, module, List.of());
  }

  /**
   * For a worker of another version.
   *
   * @param classes that it holds, with all that are nested in them
   */
  public static Path write(Path file, Class<? extends HandlerModule> module, List<Class<?>> classes)
      throws IOException {
    try (OutputStream out = Files.newOutputStream(file);
        JarOutputStream jar = new JarOutputStream(out)) {
      jar.putNextEntry(new JarEntry(SERVICE));
      jar.write(module.getName().getBytes(StandardCharsets.UTF_8));
      jar.closeEntry();
      for (Class<?> top : classes) {
        for (Class<?> each : top.getNestMembers()) {
          add(jar, each);
        }
      }
    }
    return file;
  }

  private static void add(JarOutputStream jar, Class<?> type) throws IOException {
    String name = type.getName().replace('.', '/') + ".class";
    try (InputStream in = type.getClassLoader().getResourceAsStream(name)) {
      if (in == null) {
        throw new FleetException(name + " cannot be read");
      }
      jar.putNextEntry(new JarEntry(name));
      in.transferTo(jar);
      jar.closeEntry();
    }
  }
}
