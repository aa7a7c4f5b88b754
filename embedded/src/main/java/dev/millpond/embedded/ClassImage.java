package dev.millpond.embedded;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import org.jspecify.annotations.Nullable;

/**
 * This JVM's class path as jars only, and an archive of the classes that a program loads from it:
 * for tests that start the program many times, each in half the time. The first of its processes
 * that ends by itself leaves the archive; until then, and where it does not fit, Java does without.
 * Thread-safe. Its files go when this JVM ends.
 */
public final class ClassImage {
  private final Path folder;
  private final String classPath;
  private final Path archive;
  private int tries;
  private @Nullable Maker maker;

  private ClassImage(Path folder, String classPath) {
    this.folder = folder;
    this.classPath = classPath;
    this.archive = folder.resolve("classes.jsa");
    archive.toFile().deleteOnExit();
  }

  /**
   * Packs what are directories on the class path.
   *
   * @throws UncheckedIOException when it cannot be written
   */
  public static ClassImage make() {
    try {
      Path folder = Files.createTempDirectory("millpond-classes");
      folder.toFile().deleteOnExit();
      List<String> entries = new ArrayList<>();
      for (String entry :
          List.of(System.getProperty("java.class.path").split(File.pathSeparator, -1))) {
        Path path = Path.of(entry);
        entries.add(
            Files.isDirectory(path)
                ? jar(path, folder.resolve(entries.size() + ".jar")).toString()
                : entry);
      }
      return new ClassImage(folder, String.join(File.pathSeparator, entries));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Path jar(Path directory, Path jar) throws IOException {
    jar.toFile().deleteOnExit();
    try (OutputStream file = Files.newOutputStream(jar);
        JarOutputStream out = new JarOutputStream(file);
        Stream<Path> all = Files.walk(directory)) {
      out.setLevel(Deflater.NO_COMPRESSION);
      for (Path path : all.filter(p -> !p.equals(directory)).toList()) {
        String name = directory.relativize(path).toString().replace(File.separatorChar, '/');
        if (Files.isDirectory(path)) {
          out.putNextEntry(new JarEntry(name + "/")); // Flyway looks for the folder of its files
        } else {
          out.putNextEntry(new JarEntry(name));
          Files.copy(path, out);
        }
      }
    }
    return jar;
  }

  /** What one process is started with; {@link Use#by} has to be told which. */
  public synchronized Use use() {
    if (maker != null && !maker.process().isAlive()) {
      keep(maker.archive());
      maker = null;
    }
    if (Files.exists(archive)) {
      return new Use("-XX:SharedArchiveFile=" + archive, null);
    }
    if (maker != null) {
      return new Use("-Xshare:auto", null);
    }
    Path fresh = folder.resolve(tries++ + ".jsa");
    fresh.toFile().deleteOnExit();
    return new Use("-XX:ArchiveClassesAtExit=" + fresh, fresh);
  }

  /** There is none when its process was killed. */
  private void keep(Path made) {
    try {
      if (Files.exists(made)) {
        Files.move(made, archive, StandardCopyOption.ATOMIC_MOVE);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private synchronized void makes(Maker process) {
    maker = process;
  }

  /** A process that leaves an archive when it ends. */
  private record Maker(Process process, Path archive) {}

  /** How one process uses the image. */
  public final class Use {
    private final String option;
    private final @Nullable Path makes;

    private Use(String option, @Nullable Path makes) {
      this.option = option;
      this.makes = makes;
    }

    /** Options for Java, with the class path. */
    public List<String> options() {
      return List.of(option, "-Xlog:cds*=off", "-cp", classPath);
    }

    /** The process that was started so; returns it. */
    public Process by(Process process) {
      if (makes != null) {
        makes(new Maker(process, makes));
      }
      return process;
    }
  }
}
