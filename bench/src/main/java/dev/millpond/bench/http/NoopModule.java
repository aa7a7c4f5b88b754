package dev.millpond.bench.http;

import dev.millpond.api.HandlerModule;
import dev.millpond.api.Handlers;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;

/** The handler of a server with a worker: its payload is read, and nothing done. */
public final class NoopModule implements HandlerModule {
  /** What {@link HttpShape} sends. */
  record Payload(String at, String text) {}

  @Override
  public void register(Handlers handlers) {
    handlers.registerHandler(HttpShape.KIND, Payload.class, (context, payload) -> null);
  }

  /** A jar that names it; the class itself is on the class path of the server's process. */
  static Path jar(Path directory) throws IOException {
    Path file = directory.resolve("noop-handler.jar");
    try (OutputStream out = Files.newOutputStream(file);
        JarOutputStream jar = new JarOutputStream(out)) {
      jar.putNextEntry(new JarEntry("META-INF/services/" + HandlerModule.class.getName()));
      jar.write(NoopModule.class.getName().getBytes(StandardCharsets.UTF_8));
      jar.closeEntry();
    }
    return file;
  }
}
