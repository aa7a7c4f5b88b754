package dev.millpond.embedded;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * How a command is run without root's rights, which PostgreSQL refuses to run with: as it is for an
 * ordinary user; for root in a user namespace of its own, in which root is nobody but its files
 * stay its own; where the system forbids such namespaces, as the user {@code nobody}, to whom the
 * server's files are then given.
 *
 * @param way the name of the way
 * @param prefix what to put before a command
 * @param uid the owner the server's files need, as the JVM sees owners
 */
record Privileges(String way, List<String> prefix, int uid) {
  /**
   * Forces a way: {@code unshare}, {@code setpriv}, {@code runuser} or {@code su}. Only root has a
   * choice.
   */
  static final String WAY_PROPERTY = "millpond.embedded.privileges";

  private static @Nullable Privileges ofThisJvm;

  /**
   * The way that works here; found once a JVM.
   *
   * @throws EmbeddedServerException when none does
   */
  static synchronized Privileges unprivileged() {
    Privileges found = ofThisJvm;
    if (found == null) {
      found = detect(System.getProperty(WAY_PROPERTY, ""));
      ofThisJvm = found;
    }
    return found;
  }

  static int numericId(String option, String... user) {
    List<String> command = new ArrayList<>(List.of("id", option));
    command.addAll(List.of(user));
    ServerProcess.Ran ran = ServerProcess.run(command);
    try {
      return ran.ok() ? Integer.parseInt(ran.output().strip()) : -1;
    } catch (NumberFormatException e) {
      return -1;
    }
  }

  List<String> command(List<String> command) {
    if (way.equals("su")) {
      // su takes one text for the shell, so every argument is quoted.
      String text =
          "exec "
              + command.stream()
                  .map(part -> "'" + part.replace("'", "'\\''") + "'")
                  .reduce((left, right) -> left + " " + right)
                  .orElseThrow();
      return Stream.concat(prefix.stream(), Stream.of(text)).toList();
    }
    return Stream.concat(prefix.stream(), command.stream()).toList();
  }

  /** Whether a command run this way can enter a directory. */
  boolean canEnter(Path directory) {
    return ServerProcess.run(command(List.of("sh", "-c", "cd \"$0\"", directory.toString()))).ok();
  }

  /**
   * Gives a directory and all that is in it to the server's user; nothing to do when the directory
   * is its own.
   */
  void own(Path directory) throws IOException {
    if (uidOf(directory) == uid) {
      return;
    }
    try (Stream<Path> files = Files.walk(directory)) {
      // The directory itself comes last: it is the mark that all else is done.
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.setAttribute(file, "unix:uid", uid, LinkOption.NOFOLLOW_LINKS);
      }
    }
  }

  static int uidOf(Path path) throws IOException {
    return (int) Files.getAttribute(path, "unix:uid", LinkOption.NOFOLLOW_LINKS);
  }

  private static Privileges detect(String forced) {
    int self = numericId("-u");
    if (self != 0) {
      return new Privileges("own user", List.of(), self);
    }
    int uid = numericId("-u", "nobody");
    int gid = numericId("-g", "nobody");
    int user = uid > 0 ? uid : 65_534;
    int group = gid > 0 ? gid : 65_534;
    List<Privileges> ways =
        List.of(
            new Privileges("unshare", List.of("unshare", "-U"), 0),
            new Privileges(
                "setpriv",
                List.of("setpriv", "--reuid=" + user, "--regid=" + group, "--clear-groups"),
                user),
            new Privileges("runuser", List.of("runuser", "-u", "nobody", "--"), user),
            new Privileges("su", List.of("su", "-s", "/bin/sh", "nobody", "-c"), user));
    for (Privileges way : ways) {
      if ((forced.isEmpty() || forced.equals(way.way())) && way.works()) {
        return way;
      }
    }
    throw new EmbeddedServerException(
        "PostgreSQL refuses to run as root, and none of the ways to drop root's rights works here"
            + (forced.isEmpty() ? "" : " (" + WAY_PROPERTY + "=" + forced + ")")
            + ": unshare -U, setpriv, runuser, su. Run as an ordinary user, or name an own"
            + " PostgreSQL.");
  }

  private boolean works() {
    ServerProcess.Ran ran = ServerProcess.run(command(List.of("id", "-u")));
    return ran.ok() && !ran.output().strip().equals("0");
  }
}
