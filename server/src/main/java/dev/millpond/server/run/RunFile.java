package dev.millpond.server.run;

import dev.millpond.server.config.Role;
import dev.millpond.server.http.json.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells scripts where a server listens: {@code {"url","pid","roles"}}. Written beside its place and
 * renamed, so a reader sees all of it or none; removed when the server stops.
 */
final class RunFile implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(RunFile.class);

  private final Path file;
  private final byte[] content;

  private RunFile(Path file, byte[] content) {
    this.file = file;
    this.content = content;
  }

  static RunFile write(Path file, URI url, Set<Role> roles) {
    byte[] content =
        Json.write(out -> {
          out.writeStartObject();
          out.writeStringProperty("url", url.toString());
          out.writeNumberProperty("pid", ProcessHandle.current().pid());
          out.writeArrayPropertyStart("roles");
          roles.stream().sorted().forEach(role -> out.writeString(role.wireName()));
          out.writeEndArray();
          out.writeEndObject();
        });
    Path target = file.toAbsolutePath();
    try {
      Path directory = target.getParent();
      if (directory != null) {
        Files.createDirectories(directory);
      }
      Path part = target.resolveSibling(target.getFileName() + "." + ProcessHandle.current().pid());
      Files.write(part, content);
      Files.move(part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot write the run file " + target, e);
    }
    return new RunFile(target, content);
  }

  /** Removes the file, unless another server has written its own there. */
  @Override
  public void close() {
    try {
      if (Files.exists(file) && Arrays.equals(Files.readAllBytes(file), content)) {
        Files.delete(file);
      }
    } catch (IOException e) {
      log.warn("Cannot remove the run file {}: {}", file, e.toString());
    }
  }
}
