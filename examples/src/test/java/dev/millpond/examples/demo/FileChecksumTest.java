package dev.millpond.examples.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millpond.api.AttemptStoppedException;
import dev.millpond.api.FatalJobException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileChecksumTest {
  private final FileChecksum handler = new FileChecksum();
  private final LoneContext context = new LoneContext();

  @Test
  void theDigestIsTheStandardsOwnExample(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("abc"), "abc");

    FileChecksum.Checksum checksum = handler.run(context, order(file));

    // FIPS 180-2, appendix B.1
    assertThat(checksum.sha256())
        .isEqualTo("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assertThat(checksum.bytes()).isEqualTo(3);
  }

  @Test
  void aFileLargerThanTheBufferIsReadToItsEndAndReportsProgress(@TempDir Path folder)
      throws IOException {
    Path file = Files.write(folder.resolve("zeros"), new byte[1_000_000]);

    FileChecksum.Checksum checksum = handler.run(context, order(file));

    assertThat(checksum.sha256())
        .isEqualTo("d29751f2649b32ff572b5e0a9f541ea660a50f94ff0beedfb0b692b924cc8025");
    assertThat(checksum.bytes()).isEqualTo(1_000_000);
    assertThat(context.lines).contains("6 %").doesNotContain("100 %");
  }

  @Test
  void aMissingFileIsFatal(@TempDir Path folder) {
    assertThatThrownBy(() -> handler.run(context, order(folder.resolve("none"))))
        .isInstanceOf(FatalJobException.class)
        .hasMessageContaining("is not a file");
  }

  @Test
  void aFolderIsFatal(@TempDir Path folder) {
    assertThatThrownBy(() -> handler.run(context, order(folder)))
        .isInstanceOf(FatalJobException.class);
  }

  @Test
  void itStopsWhenAsked(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("abc"), "abc");
    context.stop = true;

    assertThatThrownBy(() -> handler.run(context, order(file)))
        .isInstanceOf(AttemptStoppedException.class);
  }

  private static FileChecksum.Order order(Path file) {
    return new FileChecksum.Order(file.toString());
  }
}
