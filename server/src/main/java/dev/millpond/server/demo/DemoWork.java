package dev.millpond.server.demo;

import java.io.IOException;
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

/**
 * An endless row of tasks: each picture in several widths, and the checksums of files. Task n is
 * the same in every call. Immutable.
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

  private final List<Path> pictures;
  private final List<Path> files;
  private final Path output;
  private final int cycle;

  /**
   * Makes the row.
   *
   * @param output folder of the thumbnails
   * @param cycle every so-manieth task is a picture, the others are files
   */
  DemoWork(List<Path> pictures, List<Path> files, Path output, int cycle) {
    if (pictures.isEmpty() && files.isEmpty()) {
      throw new DemoException("There are neither pictures nor files to work on.");
    }
    this.pictures = List.copyOf(pictures);
    this.files = List.copyOf(files);
    this.output = output;
    this.cycle = cycle;
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
  }

  /**
   * A task.
   *
   * @param index from 0
   */
  Task task(int index) {
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
