package dev.millpond.chaos.fleet;

import dev.millpond.api.HandlerModule;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;

/** A jar that brings handlers of this class path to a worker that has the same. Stateless. */
public final class HandlerJar {
  private static final String SERVICE = "META-INF/services/" + HandlerModule.class.getName();

  private HandlerJar() {}

  /** Writes it; it names the module and holds no class. */
  public static Path write(Path file, Class<? extends HandlerModule> module) throws IOException {
    try (OutputStream out = Files.newOutputStream(file);
        JarOutputStream jar = new JarOutputStream(out)) {
      jar.putNextEntry(new JarEntry(SERVICE));
      jar.write(module.getName().getBytes(StandardCharsets.UTF_8));
      jar.closeEntry();
    }
    return file;
  }
}
