package dev.millpond.server.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DemoWorkTest {
  private static final List<Path> PICTURES = List.of(Path.of("/p/a.png"), Path.of("/p/b.JPG"));
  private static final List<Path> FILES = List.of(Path.of("/f/x"), Path.of("/f/y"));

  @Test
  void everyFifthTaskIsAPictureAndNoTwoShareATarget() {
    DemoWork work = new DemoWork(PICTURES, FILES, Path.of("/out"), 5, null);
    Set<Path> targets = new HashSet<>();
    int pictures = 0;
    for (int i = 0; i < 10_000; i++) {
      if (work.task(i) instanceof DemoWork.Task.Resize resize) {
        pictures++;
        assertThat(targets.add(resize.target())).as("first use of %s", resize.target()).isTrue();
        assertThat(i % 5).isZero();
      }
    }
    assertThat(pictures).isEqualTo(2_000);
    assertThat(work.task(0))
        .isEqualTo(
            new DemoWork.Task.Resize(Path.of("/p/a.png"), Path.of("/out/0/000000-a-96.png"), 96));
    assertThat(work.task(5))
        .isEqualTo(
            new DemoWork.Task.Resize(Path.of("/p/b.JPG"), Path.of("/out/0/000001-b-96.jpg"), 96));
    assertThat(work.task(1)).isEqualTo(new DemoWork.Task.Checksum(Path.of("/f/y")));
  }

  @Test
  void withoutFilesAllTasksArePicturesAndWithoutPicturesAllAreFiles() {
    Path out = Path.of("/out");
    assertThat(new DemoWork(PICTURES, List.of(), out, 5, null).task(1))
        .isInstanceOf(DemoWork.Task.Resize.class);
    assertThat(new DemoWork(List.of(), FILES, out, 5, null).task(0))
        .isInstanceOf(DemoWork.Task.Checksum.class);
    assertThatThrownBy(() -> new DemoWork(List.of(), List.of(), out, 5, null))
        .isInstanceOf(DemoException.class);
  }

  @Test
  void hiddenEntriesBuildOutputAndEmptyFilesAreLeftOut(@TempDir Path folder) throws IOException {
    Path real = folder.toRealPath();
    for (String name :
        List.of(
            "b.txt", "sub/a.PNG", "sub/c.jpeg", ".git/x", ".hidden", "m/target/y", "target/z")) {
      Path file = real.resolve(name);
      Files.createDirectories(file.resolveSibling("."));
      Files.writeString(file, "content");
    }
    Files.createFile(real.resolve("empty"));

    assertThat(DemoWork.filesIn(folder))
        .containsExactly(
            real.resolve("b.txt"), real.resolve("sub/a.PNG"), real.resolve("sub/c.jpeg"));
    assertThat(DemoWork.picturesIn(folder))
        .containsExactly(real.resolve("sub/a.PNG"), real.resolve("sub/c.jpeg"));
  }
}
