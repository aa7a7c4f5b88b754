package dev.millpond.engine.crash;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import java.util.zip.Deflater;

/**
 * A class path of jars only, and an archive of the classes that a subject loads from it: it starts
 * in half the time. Made once for a test JVM; where the archive does not fit, Java does without.
 */
final class SubjectImage {
  private final String classPath;
  private final Path archive;

  private SubjectImage(String classPath, Path archive) {
    this.classPath = classPath;
    this.archive = archive;
  }

  /** Makes it for this JVM's own class path; the archive is made by the first subject. */
  static SubjectImage make() {
    try {
      Path folder = Files.createTempDirectory("millpond-subject");
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
      Path archive = folder.resolve("subject.jsa");
      archive.toFile().deleteOnExit();
      return new SubjectImage(String.join(File.pathSeparator, entries), archive);
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

  /** Options for a subject, with its class path. */
  List<String> options() {
    String use = Files.exists(archive) ? "-XX:SharedArchiveFile=" : "-XX:ArchiveClassesAtExit=";
    return List.of(use + archive, "-Xlog:cds=off", "-cp", classPath);
  }
}
