package dev.millpond.examples.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millpond.api.FatalJobException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImageResizeTest {
  private final ImageResize handler = new ImageResize();
  private final LoneContext context = new LoneContext();
  @TempDir private Path folder;
  private Path source;

  @BeforeEach
  void copyAPicture() throws IOException {
    source = folder.resolve("source.png");
    try (InputStream in = ImageResizeTest.class.getResourceAsStream("/pictures/cells.png")) {
      Files.copy(Objects.requireNonNull(in), source);
    }
  }

  @ParameterizedTest
  @CsvSource({"120, small.png, 120, 80", "120, small.jpg, 120, 80", "4096, same.png, 720, 480"})
  void theThumbnailHasTheSizeOfItsResult(int width, String name, int newWidth, int newHeight)
      throws IOException {
    Path target = folder.resolve("deep").resolve(name);

    ImageResize.Thumbnail thumbnail = handler.run(context, order(target, width));

    BufferedImage written = ImageIO.read(target.toFile());
    assertThat(thumbnail)
        .isEqualTo(new ImageResize.Thumbnail(newWidth, newHeight, Files.size(target)));
    assertThat(written.getWidth()).isEqualTo(newWidth);
    assertThat(written.getHeight()).isEqualTo(newHeight);
  }

  @Test
  void theThumbnailLooksLikeItsSource() throws IOException {
    Path target = folder.resolve("half.png");

    handler.run(context, order(target, 360));

    BufferedImage big = ImageIO.read(source.toFile());
    BufferedImage small = ImageIO.read(target.toFile());
    int alike = 0;
    for (int y = 0; y < 240; y++) {
      for (int x = 0; x < 360; x++) {
        alike += big.getRGB(2 * x, 2 * y) == small.getRGB(x, y) ? 1 : 0;
      }
    }
    assertThat(alike)
        .as("equal pixels of 86400, apart from the edges of cells")
        .isGreaterThan(80_000);
  }

  @Test
  void aPictureOfManyPixelsIsThinnedOutWhileReading() throws IOException {
    BufferedImage wide = new BufferedImage(6_000, 2_000, BufferedImage.TYPE_BYTE_GRAY);
    ImageIO.write(wide, "png", source.toFile());

    ImageResize.Thumbnail thumbnail = handler.run(context, order(folder.resolve("t.png"), 300));

    assertThat(thumbnail.width()).isEqualTo(300);
    assertThat(thumbnail.height()).isEqualTo(100);
  }

  @Test
  void aSecondRunWritesTheSameBytesAndLeavesNoTemporaryFile() throws IOException {
    Path target = folder.resolve("t.png");
    handler.run(context, order(target, 100));
    byte[] first = Files.readAllBytes(target);

    handler.run(context, order(target, 100));

    assertThat(Files.readAllBytes(target)).isEqualTo(first);
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).containsExactlyInAnyOrder(source, target);
    }
  }

  @Test
  void aMissingPictureIsFatal() throws IOException {
    Files.delete(source);

    assertFatal(order(folder.resolve("t.png"), 100), "is not a file");
  }

  @Test
  void aFileThatIsNoPictureIsFatal() throws IOException {
    Files.writeString(source, "not a picture");

    assertFatal(order(folder.resolve("t.png"), 100), "not a picture of a known format");
  }

  @Test
  void aTornPictureIsFatalAndLeavesNoTarget() throws IOException {
    byte[] whole = Files.readAllBytes(source);
    Files.write(source, Arrays.copyOf(whole, whole.length / 2));

    assertFatal(order(folder.resolve("t.png"), 100), "corrupt picture");
    assertThat(folder.resolve("t.png")).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1, 4_097})
  void aWidthOutOfRangeIsFatal(int width) {
    assertFatal(order(folder.resolve("t.png"), width), "width must be 1 to 4096");
  }

  @Test
  void aTargetOfAnotherFormatIsFatal() {
    assertFatal(order(folder.resolve("t.svg"), 100), "must end in .png or .jpg");
  }

  @Test
  void aTargetThatCannotBeWrittenIsTriedAgain() throws IOException {
    Path blocked = Files.writeString(folder.resolve("file"), "in the way").resolve("t.png");

    assertThatThrownBy(() -> handler.run(context, order(blocked, 100)))
        .isInstanceOf(IOException.class);
  }

  private ImageResize.Order order(Path target, int width) {
    return new ImageResize.Order(source.toString(), target.toString(), width);
  }

  private void assertFatal(ImageResize.Order order, String message) {
    assertThatThrownBy(() -> handler.run(context, order))
        .isInstanceOf(FatalJobException.class)
        .hasMessageContaining(message);
  }
}
