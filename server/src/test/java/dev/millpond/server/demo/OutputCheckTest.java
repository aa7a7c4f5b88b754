package dev.millpond.server.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.UUID;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OutputCheckTest {
  private static final String ABC =
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

  @TempDir private Path folder;
  private OutputCheck check = new OutputCheck(Instant.MAX, null);
  private Path file = Path.of("abc");
  private Path source = Path.of("source.png");
  private Path target = Path.of("target.png");

  @BeforeEach
  void makeFiles() throws IOException {
    check = new OutputCheck(Instant.now().plusSeconds(60), null);
    file = Files.writeString(folder.resolve("abc"), "abc");
    source = folder.resolve("source.png");
    target = folder.resolve("target.png");
    picture(source, 200, 100);
    picture(target, 50, 25);
  }

  @Test
  void rightOutputsHaveNoProblem() throws IOException {
    assertThat(check.problemWith(checksum(), result(ABC))).isEmpty();
    assertThat(check.problemWith(resize(50), result(50, 25, Files.size(target)))).isEmpty();
    assertThat(check.outputs()).isEqualTo(2);
  }

  @Test
  void aWrongChecksumIsFound() {
    assertThat(check.problemWith(checksum(), result(ABC.replace('b', 'c')))).isPresent();
    assertThat(check.problemWith(checksum(), done("null"))).isPresent();
    assertThat(check.problemWith(checksum(), done("no json"))).isPresent();
  }

  @Test
  void aThumbnailOfAnotherSizeThanOrderedOrReportedIsFound() throws IOException {
    long bytes = Files.size(target);
    assertThat(check.problemWith(resize(60), result(60, 30, bytes))).isPresent();
    assertThat(check.problemWith(resize(50), result(50, 26, bytes))).isPresent();
    assertThat(check.problemWith(resize(50), result(50, 25, bytes + 1))).isPresent();
  }

  @Test
  void aMissingOrTornThumbnailIsFound() throws IOException {
    byte[] whole = Files.readAllBytes(target);
    Files.write(target, Arrays.copyOf(whole, whole.length / 2));
    assertThat(check.problemWith(resize(50), result(50, 25, whole.length / 2))).isPresent();

    Files.delete(target);
    assertThat(check.problemWith(resize(50), result(50, 25, whole.length)))
        .contains("the thumbnail is missing");
  }

  @Test
  void aFileThatWasChangedSinceIsNotCompared() {
    OutputCheck late = new OutputCheck(Instant.EPOCH, null);

    assertThat(late.problemWith(checksum(), result(ABC.replace('b', 'c')))).isEmpty();
    assertThat(late.changed()).isEqualTo(1);
    assertThat(late.outputs()).isZero();
  }

  private DemoWork.Task checksum() {
    return new DemoWork.Task.Checksum(file);
  }

  private DemoWork.Task resize(int width) {
    return new DemoWork.Task.Resize(source, target, width);
  }

  private static OutputCheck.Done done(String result) {
    return new OutputCheck.Done(new UUID(1, 2), true, result);
  }

  private static OutputCheck.Done result(String sha256) {
    return done("{\"sha256\":\"" + sha256 + "\",\"bytes\":3}");
  }

  private static OutputCheck.Done result(int width, int height, long bytes) {
    return done("{\"width\":%d,\"height\":%d,\"bytes\":%d}".formatted(width, height, bytes));
  }

  private static void picture(Path file, int width, int height) throws IOException {
    ImageIO.write(
        new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB), "png", file.toFile());
  }
}
