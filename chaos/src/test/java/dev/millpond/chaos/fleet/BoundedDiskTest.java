package dev.millpond.chaos.fleet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Mounts for real, so it needs root; without it nothing is tested. */
class BoundedDiskTest {
  @TempDir private Path home = Path.of("");

  private Path data = Path.of("");

  @BeforeEach
  void aDirectoryWithAFile() throws IOException {
    assumeThat(BoundedDisk.missing()).isEmpty();
    data = Files.createDirectory(home.resolve("data"));
    Files.writeString(data.resolve("first"), "1");
  }

  @AfterEach
  void nothingStaysMounted() {
    run("umount", data.toString());
  }

  private static Shell.Ran run(String... command) {
    return Shell.run(Map.of(), List.of(command));
  }

  private boolean isMounted() {
    return run("mountpoint", "-q", data.toString()).ok();
  }

  private List<String> in(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void whatIsOnItIsInTheDirectoryAfterwards() throws IOException {
    try (BoundedDisk disk = BoundedDisk.over(data)) {
      assertThat(isMounted()).isTrue();
      Files.writeString(data.resolve("second"), "2");
      disk.fill(0);
      assertThatThrownBy(() -> Files.write(data.resolve("third"), new byte[1 << 20]))
          .hasMessageContaining("No space left");
    }
    assertThat(isMounted()).isFalse();
    assertThat(in(data)).containsExactly("first", "second", "third");
    assertThat(in(home)).containsExactly("data");
  }

  @Test
  void oneThatIsLeftOverAndFullIsTakenOverWithRoom() throws IOException {
    BoundedDisk.over(data).fill(0);
    BoundedDisk.mend(data);
    Files.write(data.resolve("second"), new byte[1 << 20]);
    BoundedDisk.over(data).close();
    assertThat(isMounted()).isFalse();
    assertThat(in(data)).containsExactly("first", "second");
  }

  @Test
  void oneWhoseCopyWasCutOffIsTakenAway() throws IOException {
    Files.move(data, home.resolve("data.before"));
    Files.createDirectory(data);
    run("mount", "-t", "tmpfs", "-o", "size=1m", "millpond-chaos", data.toString());
    Files.writeString(data.resolve("half"), "");
    BoundedDisk.mend(data);
    assertThat(isMounted()).isFalse();
    assertThat(in(data)).containsExactly("first");
    assertThat(in(home)).containsExactly("data");
  }

  @Test
  void aDirectoryThatWasNotPutBackIs() throws IOException {
    Files.move(data, home.resolve("data.kept"));
    Files.createDirectory(data);
    BoundedDisk.mend(data);
    assertThat(in(data)).containsExactly("first");
    assertThat(in(home)).containsExactly("data");
  }
}
