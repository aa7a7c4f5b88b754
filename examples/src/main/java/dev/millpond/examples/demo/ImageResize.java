package dev.millpond.examples.demo;

import dev.millpond.api.FatalJobException;
import dev.millpond.api.JobContext;
import dev.millpond.api.JobHandler;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.File;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Iterator;
import java.util.Locale;
import javax.imageio.ImageIO;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.stream.FileImageInputStream;
import org.jspecify.annotations.Nullable;

/**
 * Makes a thumbnail of a picture. The target appears whole or not at all (temporary file, then an
 * atomic rename), and a second run writes the same bytes: it may run again.
 *
 * <p>A source that is missing or no picture, and an order that asks for the impossible, are fatal;
 * an error while reading or writing is tried again.
 */
public final class ImageResize implements JobHandler<ImageResize.Order> {
  /** Widest thumbnail. */
  public static final int WIDTH_MAX = 4_096;

  /** Most pixels decoded of a source: larger ones are read with pixels left out. */
  private static final long DECODED_PIXELS_MAX = 4_000_000;

  /**
   * What to make of which picture.
   *
   * @param source path of the picture: PNG, JPEG, GIF or BMP
   * @param target path of the thumbnail; its name ends in {@code .png} or {@code .jpg}
   * @param width of the thumbnail in pixels, 1 to {@link #WIDTH_MAX}; the height follows, and a
   *     smaller source keeps its size
   */
  public record Order(String source, String target, int width) {}

  /** The thumbnail that was written. */
  public record Thumbnail(int width, int height, long bytes) {}

  static {
    ImageIO.setUseCache(false);
  }

  @Override
  public Thumbnail run(JobContext context, Order order) throws IOException {
    if (order.width() < 1 || order.width() > WIDTH_MAX) {
      throw new FatalJobException("width must be 1 to " + WIDTH_MAX + ", is " + order.width());
    }
    Path target = Path.of(order.target());
    String format = formatOf(target);
    Source source = read(Path.of(order.source()), order.width(), context);
    context.checkStop();
    BufferedImage thumbnail = scale(source, order.width(), format.equals("png"));
    context.checkStop();
    long bytes = write(thumbnail, format, target, context.jobId() + "." + context.leaseToken());
    return new Thumbnail(thumbnail.getWidth(), thumbnail.getHeight(), bytes);
  }

  /**
   * Size of the thumbnail of a source.
   *
   * @return width and height
   */
  public static int[] sizeFor(int sourceWidth, int sourceHeight, int width) {
    int newWidth = Math.min(width, sourceWidth);
    int newHeight = (int) Math.max(1, Math.round((double) sourceHeight * newWidth / sourceWidth));
    return new int[] {newWidth, newHeight};
  }

  /** Pixels of a picture, maybe thinned out, and its size on disk. */
  private record Source(BufferedImage pixels, int width, int height) {}

  private static Source read(Path path, int width, JobContext context) throws IOException {
    try (WatchedInput input = open(path)) {
      Iterator<ImageReader> readers = ImageIO.getImageReaders(input);
      if (!readers.hasNext()) {
        throw input.errorOr("is not a picture of a known format", path, null);
      }
      ImageReader reader = readers.next();
      try {
        reader.setInput(input, true, true);
        reader.addIIOReadWarningListener((from, warning) -> context.log(path + ": " + warning));
        return decode(reader, width);
      } catch (IOException | RuntimeException e) {
        // Decoders meet corrupt data with any kind of exception; what the disk said is in the
        // input.
        throw input.errorOr("is a corrupt picture: " + e, path, e);
      } finally {
        reader.dispose();
      }
    }
  }

  private static WatchedInput open(Path path) throws IOException {
    if (!Files.isRegularFile(path)) {
      throw new FatalJobException(path + " is not a file");
    }
    try {
      return new WatchedInput(path.toFile());
    } catch (FileNotFoundException e) {
      // Also thrown when access is denied or no file handle is left: only a missing file is fatal.
      if (!Files.exists(path)) {
        throw new FatalJobException(path + " was removed", e);
      }
      throw e;
    }
  }

  private static Source decode(ImageReader reader, int width) throws IOException {
    int sourceWidth = reader.getWidth(0);
    int sourceHeight = reader.getHeight(0);
    ImageReadParam param = reader.getDefaultReadParam();
    int step = 1;
    while ((long) (sourceWidth / step) * (sourceHeight / step) > DECODED_PIXELS_MAX
        && sourceWidth / (step + 1) >= width) {
      step++;
    }
    param.setSourceSubsampling(step, step, 0, 0);
    return new Source(reader.read(0, param), sourceWidth, sourceHeight);
  }

  /** Halves the picture until the last step is less than a half: plain bilinear skips pixels. */
  private static BufferedImage scale(Source source, int width, boolean alpha) {
    int[] size = sizeFor(source.width(), source.height(), width);
    BufferedImage from = source.pixels();
    while (from.getWidth() > 2 * size[0] && from.getHeight() > 2 * size[1]) {
      from = draw(from, from.getWidth() / 2, from.getHeight() / 2, alpha);
    }
    return draw(from, size[0], size[1], alpha);
  }

  private static BufferedImage draw(BufferedImage from, int width, int height, boolean alpha) {
    boolean keepAlpha = alpha && from.getColorModel().hasAlpha();
    BufferedImage to =
        new BufferedImage(
            width, height, keepAlpha ? BufferedImage.TYPE_INT_ARGB : BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = to.createGraphics();
    try {
      graphics.setRenderingHint(
          RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
      if (!keepAlpha) {
        graphics.setColor(Color.WHITE);
        graphics.fillRect(0, 0, width, height);
      }
      graphics.drawImage(from, 0, 0, width, height, null);
    } finally {
      graphics.dispose();
    }
    return to;
  }

  private static long write(BufferedImage image, String format, Path target, String unique)
      throws IOException {
    Path folder = target.toAbsolutePath().getParent();
    if (folder == null) {
      throw new FatalJobException("target " + target + " is not a file's path");
    }
    Files.createDirectories(folder);
    Path temporary = folder.resolve("." + target.getFileName() + "." + unique + ".tmp");
    try {
      if (!ImageIO.write(image, format, temporary.toFile())) {
        throw new FatalJobException("no writer for " + format);
      }
      long bytes = Files.size(temporary);
      Files.move(
          temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      return bytes;
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  private static String formatOf(Path target) {
    String name = target.toString().toLowerCase(Locale.ROOT);
    if (name.endsWith(".png")) {
      return "png";
    }
    if (name.endsWith(".jpg") || name.endsWith(".jpeg")) {
      return "jpg";
    }
    throw new FatalJobException("target must end in .png or .jpg, is " + target);
  }

  /** A file that remembers its I/O error: what a decoder throws does not tell it from bad data. */
  private static final class WatchedInput extends FileImageInputStream {
    private @Nullable IOException error;

    WatchedInput(File file) throws IOException {
      super(file);
    }

    @Override
    public int read() throws IOException {
      try {
        return super.read();
      } catch (IOException e) {
        error = e;
        throw e;
      }
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      try {
        return super.read(bytes, offset, length);
      } catch (IOException e) {
        error = e;
        throw e;
      }
    }

    /** Throws the I/O error there was, to be tried again; returns a fatal error otherwise. */
    FatalJobException errorOr(String what, Path path, @Nullable Exception cause)
        throws IOException {
      if (error != null) {
        throw error;
      }
      String message = path + " " + what;
      return cause == null ? new FatalJobException(message) : new FatalJobException(message, cause);
    }
  }
}
