package dev.millpond.embedded;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tukaani.xz.XZInputStream;

/**
 * The servers' programs, unpacked from the jars on the class path into a directory named after
 * their checksum, once a machine and user.
 *
 * <p>Implementation note. Unpacking happens in a directory of its own that is renamed when
 * complete, so a crash leaves nothing half done under the final name; a file lock lets the second
 * of two racing JVMs wait for the first instead of doing the work again. A later use compares file
 * count and size with what was noted, because cleaners of temporary folders take single files away.
 */
final class Binaries {
  /** Names the one directory to unpack to, instead of one in the temporary folder. */
  static final String CACHE_PROPERTY = "millpond.embedded.cache";

  private static final Logger log = LoggerFactory.getLogger(Binaries.class);
  private static final String REDIS_VERSION = "7.0.15";
  private static final String MARK = ".complete";
  private static final String UNFINISHED = ".unpacking-";
  private static final Set<PosixFilePermission> PROGRAM =
      PosixFilePermissions.fromString("rwxr-xr-x");
  private static final Set<PosixFilePermission> DATA = PosixFilePermissions.fromString("rw-r--r--");

  private Binaries() {}

  /**
   * The root of an unpacked PostgreSQL with {@code bin/postgres} and {@code bin/initdb}.
   *
   * @param spare where to unpack when programs in the temporary folder cannot be run
   */
  static Path postgres(Path spare, Privileges privileges) {
    String resource =
        "postgres-%s-%s%s.txz"
            .formatted(system(), postgresMachine(), isMusl() ? "-alpine_linux" : "");
    return locate("postgres", resource, "bin/postgres", spare, privileges);
  }

  /** The directory with {@code redis-server}. */
  static Path redis(Path spare, Privileges privileges) {
    String resource = "redis-server-%s-%s-%s".formatted(REDIS_VERSION, system(), redisMachine());
    return locate("redis", resource, "redis-server", spare, privileges);
  }

  /**
   * A folder of this user's below the temporary folder; others may enter, nobody else may write.
   */
  static Path userFolder() throws IOException {
    String user = System.getProperty("user.name", "user").replaceAll("[^A-Za-z0-9_.-]", "_");
    Path folder =
        Path.of(System.getProperty("java.io.tmpdir"))
            .toRealPath()
            .resolve("millpond-embedded-" + user);
    return safeFolder(folder);
  }

  static void deleteRecursively(Path directory) throws IOException {
    if (!Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }

  private static synchronized Path locate(
      String name, String resource, String program, Path spare, Privileges privileges) {
    URL url = Binaries.class.getClassLoader().getResource(resource);
    if (url == null) {
      throw new EmbeddedServerException(
          "The class path has no %s for this machine (%s, %s; looked for %s); add its jar or name an own server."
              .formatted(
                  name, System.getProperty("os.name"), System.getProperty("os.arch"), resource));
    }
    List<String> refusals = new ArrayList<>();
    for (Path root : roots(spare, refusals)) {
      try {
        Path unpacked = unpacked(safeFolder(root), name, url, program);
        ServerProcess.Ran ran =
            ServerProcess.run(
                privileges.command(List.of(unpacked.resolve(program).toString(), "--version")));
        if (ran.ok()) {
          return unpacked;
        }
        refusals.add(
            "%s: exit code %d, %s".formatted(unpacked, ran.exitCode(), ran.output().strip()));
      } catch (IOException e) {
        refusals.add(root + ": " + e);
      }
    }
    throw new EmbeddedServerException(
        "%s cannot be unpacked and run anywhere; name a directory for it by -D%s=DIR. Tried: %s"
            .formatted(name, CACHE_PROPERTY, String.join("; ", refusals)));
  }

  private static List<Path> roots(Path spare, List<String> refusals) {
    String named = System.getProperty(CACHE_PROPERTY);
    if (named != null) {
      return List.of(Path.of(named).toAbsolutePath());
    }
    try {
      return List.of(userFolder(), spare);
    } catch (IOException e) {
      refusals.add(String.valueOf(e));
      return List.of(spare);
    }
  }

  @SuppressWarnings("try")
  private static Path unpacked(Path root, String name, URL url, String program) throws IOException {
    Path target = root.resolve("%s-%08x".formatted(name, checksum(url)));
    if (isComplete(target)) {
      return target;
    }
    try (FileChannel channel =
            FileChannel.open(
                root.resolve(name + ".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        var unused = channel.lock()) {
      if (isComplete(target)) {
        return target;
      }
      removeLeftovers(root, name);
      long startNanos = System.nanoTime();
      Path fresh = Files.createTempDirectory(root, UNFINISHED + name + "-");
      if (url.getPath().endsWith(".txz")) {
        untar(url, fresh);
      } else {
        Path file = fresh.resolve(program);
        try (InputStream in = url.openStream()) {
          Files.copy(in, file);
        }
        Files.setPosixFilePermissions(file, PROGRAM);
      }
      openDirectories(fresh);
      Files.writeString(fresh.resolve(MARK), census(fresh));
      if (Files.exists(target)) {
        log.warn(
            "{} has lost files, perhaps to a cleaner of temporary folders; it is unpacked anew.",
            target);
        Files.move(target, root.resolve(UNFINISHED + name + "-damaged-" + System.nanoTime()));
      }
      Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE);
      removeLeftovers(root, name);
      log.info(
          "Unpacked {} to {} in {} ms.",
          name,
          target,
          (System.nanoTime() - startNanos) / 1_000_000);
      return target;
    }
  }

  private static void removeLeftovers(Path root, String name) throws IOException {
    try (Stream<Path> children = Files.list(root)) {
      for (Path child : children.toList()) {
        if (child.getFileName().toString().startsWith(UNFINISHED + name + "-")) {
          deleteRecursively(child);
        }
      }
    }
  }

  private static boolean isComplete(Path target) throws IOException {
    Path mark = target.resolve(MARK);
    return Files.exists(mark) && Files.readString(mark).equals(census(target));
  }

  private static String census(Path directory) throws IOException {
    long count = 0;
    long bytes = 0;
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.toList()) {
        if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) && !file.endsWith(MARK)) {
          count++;
          bytes += Files.size(file);
        }
      }
    }
    return count + " files, " + bytes + " bytes\n";
  }

  private static void untar(URL url, Path root) throws IOException {
    try (InputStream raw = url.openStream();
        TarArchiveInputStream tar = new TarArchiveInputStream(new XZInputStream(raw))) {
      for (@Nullable TarArchiveEntry entry = tar.getNextEntry();
          entry != null;
          entry = tar.getNextEntry()) {
        Path file = root.resolve(entry.getName()).normalize();
        if (!file.startsWith(root)) {
          throw new IOException("The archive has an entry outside itself: " + entry.getName());
        }
        if (entry.isDirectory()) {
          Files.createDirectories(file);
          continue;
        }
        Files.createDirectories(file.getParent());
        if (entry.isSymbolicLink()) {
          if (!file.resolveSibling(entry.getLinkName()).normalize().startsWith(root)) {
            throw new IOException("The archive has a link out of itself: " + entry.getName());
          }
          Files.createSymbolicLink(file, Path.of(entry.getLinkName()));
        } else {
          Files.copy(tar, file);
          Files.setPosixFilePermissions(file, (entry.getMode() & 0100) != 0 ? PROGRAM : DATA);
        }
      }
    }
  }

  /** Whatever this process's umask, the user that root becomes must be able to enter. */
  private static void openDirectories(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.toList()) {
        if (Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS)) {
          Files.setPosixFilePermissions(file, PROGRAM);
        }
      }
    }
  }

  private static long checksum(URL url) throws IOException {
    URLConnection connection = url.openConnection();
    if (connection instanceof JarURLConnection jar) {
      long crc = jar.getJarEntry().getCrc();
      if (crc >= 0) {
        return crc;
      }
    }
    CRC32 crc = new CRC32();
    try (InputStream in = new CheckedInputStream(url.openStream(), crc)) {
      in.transferTo(OutputStream.nullOutputStream());
    }
    return crc.getValue();
  }

  /** Programs are run from here, so a folder that somebody else could fill is refused. */
  private static Path safeFolder(Path folder) throws IOException {
    if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
      Files.createDirectories(folder);
      Files.setPosixFilePermissions(folder, PROGRAM);
    }
    Path probe = Files.createTempFile(folder, ".probe-", "");
    int self = Privileges.uidOf(probe);
    Files.delete(probe);
    Set<PosixFilePermission> permissions =
        Files.getPosixFilePermissions(folder, LinkOption.NOFOLLOW_LINKS);
    if (Privileges.uidOf(folder) != self
        || permissions.contains(PosixFilePermission.GROUP_WRITE)
        || permissions.contains(PosixFilePermission.OTHERS_WRITE)) {
      throw new IOException(folder + " can be written by others; programs are not run from there");
    }
    return folder;
  }

  private static String system() {
    String name = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
    if (name.contains("linux")) {
      return "linux";
    }
    if (name.contains("mac")) {
      return "darwin";
    }
    throw new EmbeddedServerException(
        "Embedded servers run on Linux and macOS, not on "
            + name
            + "; use a Linux subsystem or name own servers.");
  }

  private static boolean isArm() {
    String arch = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
    return arch.equals("aarch64") || arch.equals("arm64");
  }

  private static String postgresMachine() {
    return isArm() ? "arm_64" : "x86_64";
  }

  private static String redisMachine() {
    return isArm() ? "arm64" : "amd64";
  }

  private static boolean isMusl() {
    return Files.exists(Path.of(isArm() ? "/lib/ld-musl-aarch64.so.1" : "/lib/ld-musl-x86_64.so.1"))
        && !Files.exists(
            Path.of(isArm() ? "/lib/ld-linux-aarch64.so.1" : "/lib64/ld-linux-x86-64.so.2"));
  }

  /** A short name for a path, the same in every run. */
  static String shortName(Path path) {
    CRC32 crc = new CRC32();
    crc.update(path.toString().getBytes(StandardCharsets.UTF_8));
    return "%08x-%s".formatted(crc.getValue(), path.getFileName());
  }
}
