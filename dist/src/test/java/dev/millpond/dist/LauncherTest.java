package dev.millpond.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The launcher, in a checkout of its own with a JDK that is a script: it writes down how it was
 * called. The newest JDK wins, so its version is one that no real one has.
 */
@EnabledOnOs({OS.LINUX, OS.MAC})
class LauncherTest {
  /** A training makes the caches; everything else prints its arguments and exits with 7. */
  private static final String JAVA =
      """
      #!/bin/sh
      training=
      for argument in "$@"; do
        case $argument in
          *StartupTraining) training=1 ;;
        esac
      done
      if [ -n "$training" ]; then
        echo x >>"$TRAININGS"
        [ "${FAIL:-no}" = no ] || exit "$FAIL"
        while [ "${1%StartupTraining}" = "$1" ]; do shift; done
        : >"$2/$3-server"
        : >"$2/$3-command"
        exit 0
      fi
      printf '%s\\n' "$@"
      exit 7
      """;

  private static final int COMMAND_EXIT = 7;
  private static final String NAME = "0123456789ab-99000001";

  @TempDir private Path root = Path.of("");
  private Path layout = Path.of("");
  private Path trainings = Path.of("");

  private record Ran(int exit, List<String> out, String err) {}

  @BeforeEach
  void checkout() throws IOException {
    Path real = realCheckout();
    layout = Files.createDirectories(root.resolve("dist/target/millpond"));
    trainings = root.resolve("trainings");
    Files.createDirectories(root.resolve("build"));
    for (String file : List.of("millpond", "build/find-jdk.sh", "build/start-cache.sh")) {
      Files.copy(real.resolve(file), root.resolve(file));
    }
    Files.writeString(layout.resolve("classpath"), "@lib@/a.jar:@lib@/b.jar");
    Files.writeString(layout.resolve("id"), "0123456789abcdef\n");
    Files.createFile(layout.resolve("built"));
    Files.setLastModifiedTime(
        layout.resolve("built"), FileTime.from(Instant.now().minusSeconds(60)));
    script(root.resolve("jdk/bin/java"), JAVA);
    script(root.resolve("jdk/bin/javac"), "");
    Files.writeString(root.resolve("jdk/release"), "JAVA_VERSION=\"99.0.1\"\n");
  }

  @ParameterizedTest
  @CsvSource({
    "server, -XX:+UseParallelGC",
    "demo, -XX:+UseParallelGC",
    "bench, -XX:+UseParallelGC",
    "chaos, -XX:+UseParallelGC",
    "scenario, -XX:+UseParallelGC",
    "jobs, -XX:+UseSerialGC",
    "--help, -XX:+UseSerialGC",
  })
  void theCollectorFitsTheCommand(String command, String collector)
      throws IOException, InterruptedException {
    Ran ran = launch(Map.of(), command, "a b");
    assertThat(ran.exit()).isEqualTo(COMMAND_EXIT);
    String classPath = lib("a.jar") + ":" + lib("b.jar");
    assertThat(ran.out()).contains(collector).anyMatch(said -> said.startsWith(classPath));
    assertThat(ran.out().getLast()).isEqualTo("a b");
    assertThat(ran.err()).isEmpty();
  }

  @Test
  void aServerThatIsOutOfMemoryEndsWithOrWithoutASupervisor()
      throws IOException, InterruptedException {
    assertThat(launch(Map.of(), "server").out()).contains("-XX:+ExitOnOutOfMemoryError");
    assertThat(launch(Map.of(), "jobs").out()).doesNotContain("-XX:+ExitOnOutOfMemoryError");
  }

  @Test
  void aCacheIsUsedByTheKindOfProcessItIsFor() throws IOException, InterruptedException {
    cache("server", Instant.now());
    cache("command", Instant.now());
    assertThat(launch(Map.of(), "server").out()).contains("-XX:AOTCache=" + cacheFile("server"));
    assertThat(launch(Map.of(), "jobs").out()).contains("-XX:AOTCache=" + cacheFile("command"));
    assertThat(launch(Map.of(), "--help").out()).noneMatch(LauncherTest::usesCache);
    assertThat(launch(Map.of("MILLPOND_JAVA_CACHE", "off"), "server").out())
        .noneMatch(LauncherTest::usesCache);
  }

  @Test
  void aCacheOlderThanTheBuildIsNotUsed() throws IOException, InterruptedException {
    cache("server", Instant.now().minusSeconds(120));
    assertThat(launch(Map.of(), "server").out()).noneMatch(LauncherTest::usesCache);
  }

  @Test
  void nobodyTrainsWithoutATerminalOrABuild() throws IOException, InterruptedException {
    Ran ran = launch(Map.of("MILLPOND_LOG_LEVEL", "debug"), "server");
    assertThat(ran.exit()).isEqualTo(COMMAND_EXIT);
    assertThat(ran.err()).contains("no start-up cache", "./millpond prepare");
    assertThat(trainings).doesNotExist();
  }

  @Test
  void prepareTrainsAndTheNextStartUsesIt() throws IOException, InterruptedException {
    assertThat(launch(Map.of(), "prepare").exit()).isZero();
    assertThat(trainings).hasContent("x");
    assertThat(launch(Map.of(), "server").out()).contains("-XX:AOTCache=" + cacheFile("server"));
  }

  @Test
  void aTrainingThatFailsIsSaidByPrepareAndBreaksNothing()
      throws IOException, InterruptedException {
    Ran prepare = launch(Map.of("FAIL", "9"), "prepare");
    assertThat(prepare.exit()).isEqualTo(1);
    assertThat(prepare.err()).contains("no start-up caches were made", "training.log");
    assertThat(layout.resolve("start/" + NAME + "-failed")).exists();
    assertThat(launch(Map.of(), "server").exit()).isEqualTo(COMMAND_EXIT);
  }

  @Test
  void aTrainingOfAnotherProcessIsNoFailure() throws IOException, InterruptedException {
    Ran prepare = launch(Map.of("FAIL", "3"), "prepare");
    assertThat(prepare.err()).contains("another process is preparing it");
    assertThat(layout.resolve("start/" + NAME + "-failed")).doesNotExist();
  }

  @Test
  void belowJava25ADynamicArchiveIsUsed() throws IOException, InterruptedException {
    // The launcher's own choice cannot be made older than a real JDK here: the part alone.
    String probe =
        "layout=$1; best=24000002; . \"$2\"; find_cache server no; echo"
            + " \"$cache_flag|$cache_name\"";
    Ran ran =
        run(
            Map.of(),
            List.of(
                "sh",
                "-c",
                probe,
                "sh",
                layout.toString(),
                root.resolve("build/start-cache.sh").toString()));
    assertThat(ran.out()).containsExactly("-XX:SharedArchiveFile=|0123456789ab-24000002");
  }

  private static Path realCheckout() {
    for (Path up = Path.of("").toAbsolutePath(); up != null; up = up.getParent()) {
      if (Files.exists(up.resolve("build/find-jdk.sh"))) {
        return up;
      }
    }
    throw new IllegalStateException("not in a checkout");
  }

  private Ran launch(Map<String, String> environment, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("sh", root.resolve("millpond").toString()));
    command.addAll(List.of(arguments));
    return run(environment, command);
  }

  private Ran run(Map<String, String> environment, List<String> command)
      throws IOException, InterruptedException {
    Path out = root.resolve("out");
    Path err = root.resolve("err");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(root.toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    builder.environment().keySet().removeIf(name -> name.startsWith("MILLPOND_"));
    builder.environment().put("JAVA_HOME", root.resolve("jdk").toString());
    builder.environment().put("TRAININGS", trainings.toString());
    builder.environment().putAll(environment);
    Process process = builder.start();
    try {
      assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
      return new Ran(process.exitValue(), Files.readAllLines(out), Files.readString(err));
    } finally {
      process.destroyForcibly();
    }
  }

  private static boolean usesCache(String argument) {
    return argument.startsWith("-XX:AOTCache=") || argument.startsWith("-XX:SharedArchiveFile=");
  }

  private void cache(String profile, Instant made) throws IOException {
    Path file = Path.of(cacheFile(profile));
    Files.createDirectories(layout.resolve("start"));
    Files.createFile(file);
    Files.setLastModifiedTime(file, FileTime.from(made));
  }

  private String cacheFile(String profile) throws IOException {
    return layout.toRealPath().resolve("start/" + NAME + "-" + profile).toString();
  }

  private String lib(String jar) throws IOException {
    return layout.toRealPath().resolve("lib/" + jar).toString();
  }

  private static void script(Path file, String text) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }
}
