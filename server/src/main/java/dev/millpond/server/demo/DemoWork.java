package dev.millpond.server.demo;

import java.io.IOException;
import java.net.URI;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * An endless row of tasks: each picture in several widths, the checksums of files, and calls and
 * mails to the demo's own receivers. Task n is the same in every call. Immutable.
 */
final class DemoWork {
  /** Files looked at below a folder. */
  static final int FILES_MAX = 10_000;

  static final long FILE_BYTES_MAX = 64L << 20;

  private static final int DEPTH_MAX = 32;
  private static final int[] WIDTHS = {96, 128, 160, 240, 320, 480};
  private static final Set<String> PICTURE_ENDINGS = Set.of("png", "jpg", "jpeg", "gif", "bmp");

  /** Thumbnails in one folder. */
  private static final int FOLDER_FILES = 1_000;

  /** Places of a call and of a mail in each cycle. */
  private static final int CALL = 2;

  private static final int MAIL = 4;

  private static final List<String> METHODS = List.of("POST", "PUT", "PATCH", "DELETE", "GET");

  private final List<Path> pictures;
  private final List<Path> files;
  private final Path output;
  private final int cycle;
  private final @Nullable Receivers receivers;

  /**
   * Where calls and mails go.
   *
   * @param run names the run, as the receivers know it
   * @param calls address below which calls go; ends in a slash
   * @param smtpPort of the mail receiver on 127.0.0.1
   */
  record Receivers(String run, URI calls, int smtpPort) {
    static Receivers of(Sinks sinks) {
      return new Receivers(sinks.run(), sinks.calls().url(), sinks.mails().port());
    }
  }

  /**
   * Makes the row.
   *
   * @param output folder of the thumbnails
   * @param cycle of so many tasks one is a picture, one a call and one a mail; the others are files
   * @param receivers null for neither calls nor mails
   */
  DemoWork(
      List<Path> pictures,
      List<Path> files,
      Path output,
      int cycle,
      @Nullable Receivers receivers) {
    if (receivers != null && cycle <= Math.max(CALL, MAIL)) {
      throw new IllegalArgumentException("cycle must be above " + MAIL + ", is " + cycle);
    }
    if (pictures.isEmpty() && files.isEmpty()) {
      throw new DemoException("There are neither pictures nor files to work on.");
    }
    this.pictures = List.copyOf(pictures);
    this.files = List.copyOf(files);
    this.output = output;
    this.cycle = cycle;
    this.receivers = receivers;
  }

  /** One piece of work. */
  sealed interface Task {
    /** Kind of its job. */
    String kind();

    /** Payload of its job, to be written as JSON. */
    Map<String, Object> payload();

    /** A thumbnail to be made. */
    record Resize(Path source, Path target, int width) implements Task {
      @Override
      public String kind() {
        return "image.resize";
      }

      @Override
      public Map<String, Object> payload() {
        return Map.of("source", source.toString(), "target", target.toString(), "width", width);
      }
    }

    /** A file to be read. */
    record Checksum(Path file) implements Task {
      @Override
      public String kind() {
        return "file.checksum";
      }

      @Override
      public Map<String, Object> payload() {
        return Map.of("file", file.toString());
      }
    }

    /** A request to be made of the demo's receiver. */
    record Call(String method, URI url, Map<String, String> headers, String body) implements Task {
      @Override
      public String kind() {
        return "http.call";
      }

      @Override
      public Map<String, Object> payload() {
        return Map.of("method", method, "url", url.toString(), "headers", headers, "body", body);
      }

      /** What the receiver has to get. */
      String content() {
        return CallSink.content(method, url.getRawPath() + "?" + url.getRawQuery(), headers, body);
      }
    }

    /** A mail to be sent through the demo's receiver. */
    record Mail(int port, String from, String to, String subject, String text) implements Task {
      @Override
      public String kind() {
        return "email.send";
      }

      @Override
      public Map<String, Object> payload() {
        return Map.of(
            "host", "127.0.0.1",
            "port", port,
            "from", from,
            "to", to,
            "subject", subject,
            "text", text);
      }

      /** What the receiver has to get. */
      String content() {
        return MailSink.content(from, to, from + " > " + to, subject, text);
      }

      /** Domain of the mail's id. */
      String domain() {
        return from.substring(from.lastIndexOf('@') + 1);
      }
    }
  }

  /** Calls of five methods, with bodies from nothing to some kilobytes. */
  private static Task.Call call(Receivers receivers, int number) {
    String method = METHODS.get(number % METHODS.size());
    String body =
        method.equals("GET")
            ? ""
            : "{\"order\":%d,\"note\":\"%s\"}"
                .formatted(number, "Grüße, 水車 & <b>\\\\ ".repeat(number % 64));
    return new Task.Call(
        method,
        receivers.calls().resolve("orders/%d?note=a%%20b%%26c&n=%d".formatted(number, number)),
        Map.of("Content-Type", "application/json", "X-Demo-Order", "order " + number),
        body);
  }

  /** Mails whose subject and text need encoding, with the lines that SMTP treats apart. */
  private static Task.Mail mail(Receivers receivers, int number) {
    String text =
        """
        Liebe Leserin %d,

        .a line that starts with a dot
        .
        From here on: Grüße, 水車, a tab\t and spaces at the end   \040
        %s
        = and =3D are no encoding here\
        """
            .formatted(number, "a long line ".repeat(number % 128));
    return new Task.Mail(
        receivers.smtpPort(),
        "millpond@" + MailSink.domain(receivers.run()),
        "reader-" + number + "@millpond.example",
        "Order "
            + number
            + ": Mühlenteich, 水車 and a long tail "
            + "so long ".repeat(number % 16)
            + "end",
        text);
  }

  /**
   * A task.
   *
   * @param index from 0
   */
  Task task(int index) {
    if (receivers != null && index % cycle == CALL) {
      return call(receivers, index / cycle);
    }
    if (receivers != null && index % cycle == MAIL) {
      return mail(receivers, index / cycle);
    }
    boolean picture = !pictures.isEmpty() && (files.isEmpty() || index % cycle == 0);
    if (!picture) {
      return new Task.Checksum(files.get(index % files.size()));
    }
    int number = files.isEmpty() ? index : index / cycle;
    Path source = pictures.get(number % pictures.size());
    int width = WIDTHS[number / pictures.size() % WIDTHS.length];
    String name = source.getFileName().toString();
    String stem = name.substring(0, name.lastIndexOf('.'));
    String ending = ending(name).equals("png") ? "png" : "jpg";
    Path target =
        output
            .resolve(Integer.toString(number / FOLDER_FILES))
            .resolve("%06d-%s-%d.%s".formatted(number, stem, width, ending));
    return new Task.Resize(source, target, width);
  }

  /** The pictures below a folder, in the order of their names, at most {@link #FILES_MAX}. */
  static List<Path> picturesIn(Path folder) throws IOException {
    return filesIn(folder, file -> PICTURE_ENDINGS.contains(ending(file.getFileName().toString())));
  }

  /** The files below a folder, in the order of their names, at most {@link #FILES_MAX}. */
  static List<Path> filesIn(Path folder) throws IOException {
    return filesIn(folder, file -> true);
  }

  /** Leaves out hidden entries, build output, empty files and those above the size limit. */
  private static List<Path> filesIn(Path folder, Predicate<Path> wanted) throws IOException {
    Path root = folder.toRealPath();
    List<Path> found = new ArrayList<>();
    Files.walkFileTree(
        root,
        EnumSet.noneOf(FileVisitOption.class),
        DEPTH_MAX,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes attributes) {
            String name = dir.getFileName() == null ? "" : dir.getFileName().toString();
            boolean skip = !dir.equals(root) && (name.startsWith(".") || name.equals("target"));
            return skip ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            boolean size = attributes.size() > 0 && attributes.size() <= FILE_BYTES_MAX;
            boolean hidden = file.getFileName().toString().startsWith(".");
            if (attributes.isRegularFile() && size && !hidden && wanted.test(file)) {
              found.add(file);
            }
            return found.size() < FILES_MAX ? FileVisitResult.CONTINUE : FileVisitResult.TERMINATE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException e) {
            return FileVisitResult.CONTINUE; // Not readable for us: no work of ours.
          }
        });
    return found.stream().sorted().toList();
  }

  private static String ending(String name) {
    return name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
  }
}
