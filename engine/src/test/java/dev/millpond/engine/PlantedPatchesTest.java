package dev.millpond.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The bugs that {@code ./planted-bugs} plants fit the sources, and the tests for them are there.
 */
class PlantedPatchesTest {
  private static final Path ROOT = root();
  private static final Path TESTS = ROOT.resolve("engine/src/test/java");
  private static final int BUGS = 14;

  /** A place where a patch changes a file: its lines before that, context included. */
  private record Hunk(String file, List<String> before) {}

  private static Path root() {
    for (Path up = Path.of("").toAbsolutePath(); up != null; up = up.getParent()) {
      if (Files.exists(up.resolve("build/planted"))) {
        return up;
      }
    }
    throw new IllegalStateException("not in a checkout");
  }

  private static List<Path> patches() throws IOException {
    try (Stream<Path> files = Files.list(ROOT.resolve("build/planted"))) {
      return files.sorted().toList();
    }
  }

  @Test
  void thereAreFourteen() throws IOException {
    assertThat(patches()).hasSize(BUGS);
  }

  @ParameterizedTest
  @MethodSource("patches")
  void aPlantedBugFitsTheSourcesAndNamesItsTest(Path patch) throws IOException {
    List<String> lines = Files.readAllLines(patch);
    String check = check(lines);
    String type = check.substring(0, check.indexOf('#'));
    String test = Files.readString(TESTS.resolve(type.replace('.', '/') + ".java"));
    assertThat(test).contains(" void " + check.substring(check.indexOf('#') + 1) + "(");
    assertThat(lines).as("the rule that it breaks").anyMatch(line -> line.startsWith("Breaks: "));
    assertThat(lines).as("what its test says").anyMatch(line -> line.startsWith("Shows: "));
    List<Hunk> hunks = hunks(lines);
    assertThat(hunks).isNotEmpty();
    for (Hunk hunk : hunks) {
      assertThat(hunk.file()).startsWith("engine/src/main/");
      assertThat(Files.readString(ROOT.resolve(hunk.file())))
          .as("%s: renew it with git diff", patch.getFileName())
          .contains(String.join("\n", hunk.before()));
    }
  }

  private static String check(List<String> lines) {
    String key = "Check: ";
    List<String> checks = lines.stream().filter(line -> line.startsWith(key)).toList();
    assertThat(checks).hasSize(1);
    return checks.getFirst().substring(key.length());
  }

  private static List<Hunk> hunks(List<String> lines) {
    List<Hunk> hunks = new ArrayList<>();
    String file = "";
    for (String line : lines) {
      if (line.startsWith("--- a/")) {
        file = line.substring("--- a/".length());
      } else if (line.startsWith("@@ ")) {
        hunks.add(new Hunk(file, new ArrayList<>()));
      } else if (!hunks.isEmpty() && (line.startsWith(" ") || line.startsWith("-"))) {
        hunks.getLast().before().add(line.substring(1));
      }
    }
    return hunks;
  }
}
