package dev.millpond.server.demo;

import dev.millpond.api.HandlerModule;
import dev.millpond.api.HandlerOptions;
import dev.millpond.api.Handlers;
import dev.millpond.api.JobContext;
import dev.millpond.api.JobHandler;
import dev.millpond.examples.demo.DemoHandlers;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Objects;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;

/**
 * The demo's handlers, with a ledger on the user's side: each run that starts appends {@code job
 * id, attempt, token} to a file, and goes on once there is no file {@value #HOLD} beside it.
 * Workers load it from a jar of its own, made by {@link #makeJar}.
 */
public final class LedgerHandlers implements HandlerModule {
  private static final String SERVICES = "META-INF/services/";
  private static final String LEDGER = "ledger-path";
  static final String HOLD = "hold";
  private static final long LOOK_MILLIS = 5;

  @Override
  public void register(Handlers handlers) {
    new DemoHandlers().register(new WithLedger(handlers, ledger()));
  }

  private static Path ledger() {
    try (InputStream in = LedgerHandlers.class.getClassLoader().getResourceAsStream(LEDGER)) {
      return Path.of(new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Registers every handler with a line in the ledger before it. */
  private record WithLedger(Handlers handlers, Path ledger) implements Handlers {
    @Override
    public <P> Handlers registerHandler(
        String kind, Class<P> payload, JobHandler<P> handler, HandlerOptions options) {
      handlers.registerHandler(
          kind,
          payload,
          (context, order) -> {
            enter(context);
            return handler.run(context, order);
          },
          options);
      return this;
    }

    private void enter(JobContext context) throws IOException, InterruptedException {
      String line =
          "%s %d %d%n".formatted(context.jobId(), context.attempt(), context.leaseToken());
      // One write in append mode: lines of several processes do not mix.
      Files.writeString(ledger, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
      Path hold = ledger.resolveSibling(HOLD);
      while (Files.exists(hold)) {
        Thread.sleep(LOOK_MILLIS);
      }
    }
  }

  /** Packs the examples, this class as the only module, and the ledger's path. */
  static void makeJar(Path jar, Path ledger) throws IOException {
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
      Path examples = location(DemoHandlers.class);
      if (Files.isDirectory(examples)) {
        copy(examples, "", out);
      } else {
        try (FileSystem zip = FileSystems.newFileSystem(examples)) {
          copy(zip.getPath("/"), "", out);
        }
      }
      String own = LedgerHandlers.class.getName().replace('.', '/');
      copy(location(LedgerHandlers.class), own, out);
      put(out, LEDGER, ledger.toString().getBytes(StandardCharsets.UTF_8));
      put(
          out,
          SERVICES + HandlerModule.class.getName(),
          LedgerHandlers.class.getName().getBytes(StandardCharsets.UTF_8));
    }
  }

  private static void copy(Path root, String prefix, JarOutputStream out) throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.walk(root)) {
      files = all.filter(Files::isRegularFile).toList();
    }
    for (Path file : files) {
      String name = root.relativize(file).toString().replace('\\', '/');
      if (name.startsWith(prefix) && !name.startsWith("META-INF/")) {
        put(out, name, Files.readAllBytes(file));
      }
    }
  }

  private static void put(JarOutputStream out, String name, byte[] content) throws IOException {
    out.putNextEntry(new JarEntry(name));
    out.write(content);
    out.closeEntry();
  }

  static Path location(Class<?> type) {
    return Path.of(type.getProtectionDomain().getCodeSource().getLocation().getPath());
  }
}
