package dev.millpond.server.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SupervisorTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  @TempDir private Path folder;
  private final List<String> said = new CopyOnWriteArrayList<>();
  private Supervisor supervisor = new Supervisor(said::add, Duration.ofSeconds(10));

  @BeforeEach
  void start() {
    supervisor = new Supervisor(said::add, Duration.ofSeconds(10));
  }

  @AfterEach
  void stop() {
    supervisor.close();
  }

  @Test
  void aKilledChildIsStartedAgain() throws IOException {
    startShell("child", "echo started; exec cat");
    long first = awaitPid("child");

    supervisor.kill("child");

    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> assertThat(supervisor.pid("child")).isPresent().get().isNotEqualTo(first));
    assertThat(supervisor.deaths("child")).isEqualTo(1);
    assertThat(said).singleElement().asString().contains("child (pid " + first + ")", "SIGKILL");
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> assertThat(Files.readString(log("child"))).isEqualTo("started\nstarted\n"));
  }

  @Test
  void aChildThatKeepsDyingIsStartedAgainAtLongerIntervals() {
    startShell("child", "exit 7");

    await().atMost(PATIENCE).until(() -> supervisor.deaths("child") >= 4);

    assertThat(said.getFirst()).contains("exit code 7", "starting it again in");
    assertThat(waitMillis(said.get(0))).isBetween(125L, 250L);
    assertThat(waitMillis(said.get(3))).isBetween(1_000L, 2_000L);
  }

  @Test
  void theCloseEndsAllChildren() {
    startShell("one", "exec cat");
    startShell("two", "exec cat");
    ProcessHandle one = handle(awaitPid("one"));
    ProcessHandle two = handle(awaitPid("two"));

    supervisor.close();

    assertThat(one.isAlive()).isFalse();
    assertThat(two.isAlive()).isFalse();
    assertThat(said).isEmpty();
  }

  @Test
  void aChildThatIgnoresSigtermIsKilled() {
    supervisor = new Supervisor(said::add, Duration.ofMillis(300));
    startShell("deaf", "trap '' TERM; echo deaf; exec tail -f /dev/null");
    ProcessHandle deaf = handle(awaitPid("deaf"));
    await().atMost(PATIENCE).until(() -> Files.readString(log("deaf")).equals("deaf\n"));

    supervisor.close();

    assertThat(deaf.isAlive()).isFalse();
    assertThat(said).containsExactly("deaf does not stop; killing it");
  }

  @Test
  void aChildEndsByEndOfFileWhenTheSupervisorIsKilled() throws IOException {
    Path pidFile = folder.resolve("pid");
    Process other =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                SupervisorTest.class.getName() + "$OtherSupervisor",
                pidFile.toString())
            .redirectErrorStream(true)
            .redirectOutput(log("other").toFile())
            .start();
    await().atMost(PATIENCE).until(() -> Files.exists(pidFile) && Files.size(pidFile) > 0);
    ProcessHandle child = handle(Long.parseLong(Files.readString(pidFile).strip()));
    assertThat(child.isAlive()).isTrue();

    other.destroyForcibly();

    await().atMost(PATIENCE).until(() -> !child.isAlive());
  }

  @Test
  void aNameIsTakenOnlyOnce() {
    startShell("child", "exec cat");

    assertThatThrownBy(() -> startShell("child", "exec cat"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  /** A process with a supervisor, to be killed. */
  static final class OtherSupervisor {
    private OtherSupervisor() {}

    public static void main(String[] args) throws InterruptedException {
      Path pidFile = Path.of(args[0]);
      Supervisor supervisor = new Supervisor(System.out::println, Duration.ofSeconds(1));
      supervisor.start(
          new Supervisor.Spec(
              "child",
              () -> List.of("sh", "-c", "echo $$ > " + pidFile + "; exec cat"),
              pidFile.resolveSibling("child.log")));
      Thread.currentThread().join();
    }
  }

  private void startShell(String name, String script) {
    supervisor.start(new Supervisor.Spec(name, () -> List.of("sh", "-c", script), log(name)));
  }

  private Path log(String name) {
    return folder.resolve(name + ".log");
  }

  private long awaitPid(String name) {
    await().atMost(PATIENCE).until(() -> supervisor.pid(name).isPresent());
    return supervisor.pid(name).orElseThrow();
  }

  private static ProcessHandle handle(long pid) {
    return ProcessHandle.of(pid).orElseThrow();
  }

  private static long waitMillis(String line) {
    return Long.parseLong(line.replaceFirst(".* in (\\d+) ms", "$1"));
  }
}
