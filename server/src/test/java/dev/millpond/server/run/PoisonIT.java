package dev.millpond.server.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobRequest;
import dev.millpond.api.JobState;
import dev.millpond.api.JobView;
import dev.millpond.api.SubmitResult;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.Timing;
import dev.millpond.server.support.HandlerJar;
import dev.millpond.server.support.LiveServer;
import dev.millpond.server.support.ServerProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * A fleet with a job in it that hurts the process it runs in: the fleet lives, the job becomes a
 * dead letter, and the others lose no attempt. Run with {@code -Dmillpond.poison.runs=N} for all
 * kinds, N times each.
 */
@Execution(ExecutionMode.CONCURRENT)
@Order(1) // takes long: begins first
class PoisonIT {
  private static final int RUNS = Integer.getInteger("millpond.poison.runs", 0);
  private static final List<String> KINDS =
      List.of(System.getProperty("millpond.poison.kinds", "").split(","));
  private static final int INNOCENTS = 40;
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  /** So that a leak of files ends before the machine's does. */
  private static final List<String> FEW_FILES =
      List.of("sh", "-c", "ulimit -n 1024; exec \"$@\"", "sh");

  private static final String[] FLAGS = {
    "--role=worker", "--supervise", "--worker-slots=8", "--worker-abandoned=1", "--handlers"
  };

  @TempDir private Path directory = Path.of("");
  private String pgUrl = "";
  private Path jar = Path.of("");

  /** What one pill did. */
  private record Result(
      Poison poison, JobView pill, int restarts, int attemptsLost, Duration until) {}

  @BeforeEach
  void makeJar() throws IOException {
    pgUrl = LiveServer.migratedDatabase();
    jar = HandlerJar.compile(directory, "Pills", Poison.MODULE);
  }

  @Test
  void aJobThatEndsItsProcessIsADeadLetterAfterThreeCrashesAndTheOthersLoseNothing()
      throws Exception {
    try (Millpond millpond = maintainer()) {
      Result result = run(millpond, Poison.EXIT);
      check(result);
      assertThat(millpond.deadLetter(result.pill().id()).orElseThrow().reason())
          .isEqualTo("poison");
      assertThat(millpond.checkBooks().findings()).isEmpty();
    }
  }

  @Test
  void aWorkerWhoseThreadsAreHeldByDeafHandlersEndsWith70AndIsStartedAgain() throws Exception {
    try (Millpond millpond = maintainer()) {
      Result result = run(millpond, Poison.DEAF_LOOP);
      check(result);
      assertThat(result.restarts()).isPositive();
      assertThat(millpond.deadLetter(result.pill().id()).orElseThrow().reason())
          .isEqualTo("exhausted");
      assertThat(millpond.checkBooks().findings()).isEmpty();
    }
  }

  @Test
  void aJobThatLeavesNoFileToOpenIsTriedAndGivenUpAndTheOthersLoseNothing() throws Exception {
    try (Millpond millpond = maintainer()) {
      check(run(millpond, Poison.FD_LEAK));
      assertThat(millpond.checkBooks().findings()).isEmpty();
    }
  }

  @Test
  void everyKindOfPoisonAsOftenAsAsked() throws Exception {
    if (RUNS == 0) {
      return;
    }
    List<String> lines = new ArrayList<>();
    for (Poison poison : Poison.values()) {
      if (!KINDS.contains("") && !KINDS.contains(poison.name().toLowerCase(Locale.ROOT))) {
        continue;
      }
      int restarts = 0;
      int lost = 0;
      Duration longest = Duration.ZERO;
      String end = "";
      for (int i = 0; i < RUNS; i++) {
        try (Millpond millpond = maintainer()) {
          Result result = run(millpond, poison);
          check(result);
          restarts = Math.max(restarts, result.restarts());
          lost += result.attemptsLost();
          longest = longest.compareTo(result.until()) > 0 ? longest : result.until();
          end =
              millpond
                  .deadLetter(result.pill().id())
                  .map(letter -> letter.reason())
                  .orElse(result.pill().state().toString());
          assertThat(millpond.checkBooks().findings()).isEmpty();
        }
      }
      lines.add(
          "| %s | %d | %s | %d | %d of %d | %.1f s |"
              .formatted(
                  poison.name().toLowerCase(Locale.ROOT),
                  RUNS,
                  end,
                  restarts,
                  lost,
                  RUNS * INNOCENTS,
                  longest.toMillis() / 1e3));
      System.out.println(lines.getLast());
    }
    System.out.println("| poison | runs | end | most restarts | attempts lost | longest |");
    lines.forEach(System.out::println);
  }

  private Millpond maintainer() {
    Millpond millpond = Millpond.connect(MillpondConfig.of(pgUrl).withTiming(Timing.FAST));
    millpond.startMaintenance();
    return millpond;
  }

  private Result run(Millpond millpond, Poison poison) throws Exception {
    String[] flags =
        Stream.concat(Stream.of(FLAGS), Stream.of(jar.toString())).toArray(String[]::new);
    try (ServerProcess server = ServerProcess.start(FEW_FILES, directory, pgUrl, flags)) {
      server.awaitStart();
      long began = System.nanoTime();
      List<UUID> innocents = new ArrayList<>(submit(millpond, "innocent", INNOCENTS / 2));
      UUID pill = submit(millpond, poison.kind(), 1).getFirst();
      innocents.addAll(submit(millpond, "innocent", INNOCENTS / 2));
      await(
          server,
          () -> ended(millpond, pill) && innocents.stream().allMatch(id -> ended(millpond, id)));
      Duration until = Duration.ofNanos(System.nanoTime() - began);
      if (poison.wearsOut()) {
        await(server, () -> server.output().contains("starting it again"));
      }
      // It works on, whatever the pill did.
      UUID after = submit(millpond, "innocent", 1).getFirst();
      await(server, () -> ended(millpond, after));
      int lost = 0;
      for (UUID id : innocents) {
        JobView job = millpond.find(id).orElseThrow();
        assertThat(job.state()).isEqualTo(JobState.SUCCEEDED);
        lost += job.attempt() - 1;
      }
      JobView view = millpond.find(pill).orElseThrow();
      int restarts = server.output().split("starting it again", -1).length - 1;
      server.terminate();
      assertThat(server.exitCode()).as(server::output).isZero();
      return new Result(poison, view, restarts, lost, until);
    }
  }

  private static void await(ServerProcess server, Callable<Boolean> condition) {
    try {
      Awaitility.await().atMost(PATIENCE).until(condition);
    } catch (ConditionTimeoutException e) {
      throw new AssertionError(server.output(), e);
    }
  }

  private static void check(Result result) {
    assertThat(result.attemptsLost()).as("attempts that innocents lost: %s", result).isZero();
    assertThat(result.restarts())
        .as("restarts: %s", result)
        .isLessThanOrEqualTo(result.poison().restartsMost());
    assertThat(result.pill().state()).as("%s", result).isEqualTo(JobState.DEAD);
  }

  private static boolean ended(Millpond millpond, UUID id) {
    JobState state = millpond.find(id).orElseThrow().state();
    return state == JobState.SUCCEEDED || state == JobState.DEAD;
  }

  private static List<UUID> submit(Millpond to, String kind, int count) {
    List<JobRequest> requests = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      requests.add(JobRequest.of(kind, ""));
    }
    return to.submit(requests).stream()
        .map(result -> ((SubmitResult.Accepted) result).id())
        .toList();
  }
}
