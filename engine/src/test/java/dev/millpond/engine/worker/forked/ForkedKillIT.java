package dev.millpond.engine.worker.forked;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobRequest;
import dev.millpond.api.JobState;
import dev.millpond.api.JobView;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.ForkedConfig;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.worker.forked.ChildHandlersModule.Deed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * How long a process lives after the hard timeout of its job, and that nothing it says then counts.
 * {@code -Dmillpond.forked.kills=1000} for the figure of docs/forked-executor.md.
 */
class ForkedKillIT {
  private static final int KILLS = Integer.getInteger("millpond.forked.kills", 4);
  private static final int AT_ONCE = 2;
  private static final Duration MARGIN = Duration.ofMillis(250);
  private static final double PERCENTILE = 0.99;

  /** So that the percentile of several runs together can be told: 1 % of a thousand. */
  private static final int LONGEST_SHOWN = 10;

  private static Database database;
  @TempDir private Path directory;

  @BeforeAll
  static void open() {
    database = Database.fresh();
  }

  @AfterAll
  static void shut() {
    database.close();
  }

  /** A job, and when its process was seen dead. */
  private record Kill(UUID job, CompletableFuture<Instant> dead) {}

  @Test
  void aProcessIsDeadSoonAfterTheHardTimeoutAndItsLateResultIsNone() throws Exception {
    Fleet fleet = Fleet.on(database, Mode.POSTGRES);
    Millpond node =
        fleet.worker(
            fleet
                .config()
                .withSlots(AT_ONCE)
                .withForked(
                    ForkedConfig.DEFAULT.withLife(
                        new ForkedConfig.Life(AT_ONCE, 1_000, Duration.ofHours(1)))),
            m -> m.registerModule(new ChildHandlersModule()));
    List<Kill> kills = new ArrayList<>();
    List<Long> millis = new ArrayList<>();
    int number = 0;
    while (kills.size() < KILLS) {
      Fleet.until(
          "warm children",
          () -> fleet.gauged("millpond.forked.children", "state", "idle") >= AT_ONCE);
      List<Kill> now = new ArrayList<>();
      for (int i = 0; i < AT_ONCE; i++) {
        kill(node, number++).ifPresent(now::add);
      }
      for (Kill kill : now) {
        JobView job = fleet.untilState(kill.job(), JobState.DEAD);
        assertThat(requireNonNull(job.error()).type()).isEqualTo("dev.millpond.HardTimeout");
        assertThat(job.attempts()).hasSize(1);
        Instant limit =
            requireNonNull(job.attempts().getFirst().startedAt())
                .plus(ChildHandlersModule.KILLED_OPTIONS.hardTimeout());
        millis.add(Duration.between(limit, kill.dead().get(10, TimeUnit.SECONDS)).toMillis());
      }
      kills.addAll(now);
    }
    assertThat(database.outcomes()).as("late completions").isZero();
    List<Long> sorted = millis.stream().sorted().toList();
    long worst = sorted.get((int) Math.ceil(sorted.size() * PERCENTILE) - 1);
    System.out.printf(
        "%d kills: dead after the limit p50 %d ms, p99 %d ms, longest %s ms; late completions 0%n",
        sorted.size(),
        sorted.get(sorted.size() / 2),
        worst,
        sorted.subList(Math.max(0, sorted.size() - LONGEST_SHOWN), sorted.size()));
    if (KILLS >= 100) { // a machine that builds beside it may hold up one of a few
      assertThat(worst).isLessThanOrEqualTo(MARGIN.toMillis());
    }
    fleet.end();
  }

  /**
   * Submits a job whose process will be killed; empty when the machine was so slow that it was
   * killed before its handler could say where it runs.
   */
  private Optional<Kill> kill(Millpond node, int number) throws IOException {
    Path file = directory.resolve("kill-" + number);
    Deed deed = new Deed(number % 2 == 0 ? "deaf" : "late", file.toString());
    UUID job = Fleet.submit(node, JobRequest.of(ChildHandlersModule.KILLED, deed), 1).getFirst();
    Fleet.until(
        file + " written, or too late",
        () ->
            Files.exists(file)
                || node.find(job).map(j -> j.state() == JobState.DEAD).orElse(false));
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    long pid = Long.parseLong(Files.readString(file));
    CompletableFuture<Instant> dead =
        ProcessHandle.of(pid)
            .map(process -> process.onExit().thenApply(ended -> Instant.now()))
            .orElseGet(() -> CompletableFuture.completedFuture(Instant.now()));
    return Optional.of(new Kill(job, dead));
  }

  @Test
  void nobodySurvivesTheKillOfTheirParent() throws Exception {
    try (Fleet fleet = Fleet.on(database, Mode.POSTGRES)) {
      Millpond node = fleet.producer();
      Process parent =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-XX:TieredStopAtLevel=1",
                  "-cp",
                  System.getProperty("java.class.path"),
                  ForkedParent.class.getName(),
                  database.url())
              .inheritIO()
              .redirectInput(ProcessBuilder.Redirect.PIPE)
              .start();
      try {
        Path file = directory.resolve("orphans");
        Deed deed = new Deed("family", file.toString());
        Fleet.submit(node, JobRequest.of(ChildHandlersModule.KIND, deed), 1);
        Fleet.until(file + " written", () -> Files.exists(file));
        List<Long> family = Files.readAllLines(file).stream().map(Long::parseLong).toList();
        assertThat(family).hasSize(2).allMatch(ForkedKillIT::alive);
        parent.destroyForcibly();
        Fleet.until(family + " gone", () -> family.stream().noneMatch(ForkedKillIT::alive));
      } finally {
        parent.destroyForcibly();
      }
    }
  }

  /** Zombies, which nobody reaps in a container without an init, are dead. */
  private static boolean alive(long pid) {
    return ProcFiles.alive(pid);
  }
}
