package dev.millpond.server.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.api.JobRequest;
import dev.millpond.api.JobState;
import dev.millpond.api.JobView;
import dev.millpond.api.SubmitResult;
import dev.millpond.embedded.TestRedis;
import dev.millpond.embedded.TestServers;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.Timing;
import dev.millpond.server.support.HandlerJar;
import dev.millpond.server.support.LiveServer;
import dev.millpond.server.support.ServerProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * What it takes until jobs run again after a {@code kill -9} of their worker, and what a SIGTERM
 * costs. Only when asked for: {@code -Dmillpond.recovery.kills=N -Dmillpond.recovery.terms=N}, with
 * {@code -Dmillpond.recovery.timing=default} for the other profile and {@code
 * -Dmillpond.recovery.redis=true} for streams.
 */
class RecoveryIT {
  private static final int KILLS = Integer.getInteger("millpond.recovery.kills", 1);
  private static final int TERMS = Integer.getInteger("millpond.recovery.terms", 1);
  private static final int JOBS = Integer.getInteger("millpond.recovery.jobs", 4);
  private static final String TIMING = System.getProperty("millpond.recovery.timing", "fast");
  private static final boolean REDIS = Boolean.getBoolean("millpond.recovery.redis");
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  /** On a busy machine; the figures are in docs/reliability.md. */
  private static final Duration BOUND = Duration.ofSeconds(30);

  /** Leaves a file for each start, and runs until it is let go. */
  private static final String TIMED =
      """
      import dev.millpond.api.HandlerOptions;
      import java.nio.file.Files;
      import java.nio.file.Path;

      public final class Timed implements dev.millpond.api.HandlerModule {
        @Override
        public void register(dev.millpond.api.Handlers handlers) {
          handlers.registerHandler("timed", String.class, (context, payload) -> {
            Path directory = Path.of(payload);
            Path part = directory.resolve("part-" + context.jobId() + "-" + context.leaseToken());
            Files.writeString(part, ProcessHandle.current().pid() + " " + System.currentTimeMillis());
            Files.move(part, directory.resolve(context.jobId() + "-" + context.leaseToken()));
            while (!Files.exists(directory.resolve("go"))) {
              Thread.sleep(10);
            }
            return null;
          }, HandlerOptions.DEFAULT);
          handlers.registerHandler("short", String.class, (context, payload) -> {
            Thread.sleep(5);
            return null;
          }, HandlerOptions.DEFAULT);
        }
      }
      """;

  @TempDir private Path directory = Path.of("");

  private record Start(long pid, long atMillis) {}

  @Test
  @EnabledIfSystemProperty(named = "millpond.recovery.kills", matches = "[0-9]+")
  void afterAKillItsJobsRunAgainInTime() throws Exception {
    String pgUrl = LiveServer.migratedDatabase();
    Path jar = HandlerJar.compile(directory, "Timed", TIMED);
    List<Long> taken = new ArrayList<>();
    try (TestRedis redis = TestServers.get().redis();
        Millpond millpond = maintainer(pgUrl, redis)) {
      List<ServerProcess> workers = new ArrayList<>();
      try {
        workers.add(worker(pgUrl, redis, jar).awaitStart());
        for (int i = 0; i < KILLS; i++) {
          taken.addAll(kill(millpond, workers, () -> worker(pgUrl, redis, jar)));
        }
      } finally {
        workers.forEach(ServerProcess::close);
      }
      assertThat(millpond.checkBooks().findings()).isEmpty();
    }
    Collections.sort(taken);
    System.out.printf(
        "kill to re-run, %s%s, %d kills, %d jobs: p50 %d ms, p99 %d ms, max %d ms%n",
        TIMING,
        REDIS ? ", streams" : "",
        KILLS,
        taken.size(),
        taken.get(taken.size() / 2),
        taken.get((int) Math.ceil(taken.size() * 0.99) - 1),
        taken.getLast());
    assertThat(taken.getLast()).isLessThan(BOUND.toMillis());
  }

  @Test
  @EnabledIfSystemProperty(named = "millpond.recovery.terms", matches = "[0-9]+")
  void aSigtermLosesNoJobAndNoAttempt() throws Exception {
    String pgUrl = LiveServer.migratedDatabase();
    Path jar = HandlerJar.compile(directory, "Timed", TIMED);
    List<UUID> ids = new ArrayList<>();
    List<Long> taken = new ArrayList<>();
    try (TestRedis redis = TestServers.get().redis();
        Millpond millpond = maintainer(pgUrl, redis)) {
      for (int i = 0; i < TERMS; i++) {
        try (ServerProcess worker = worker(pgUrl, redis, jar).awaitStart()) {
          int before = ids.size();
          ids.addAll(submit(millpond, "short", 300));
          UUID watched = ids.get(before + 50);
          await().atMost(PATIENCE).until(() -> ended(millpond, watched));
          long began = System.nanoTime();
          worker.terminate();
          assertThat(worker.exitCode()).as(worker::output).isZero();
          taken.add((System.nanoTime() - began) / 1_000_000);
        }
      }
      try (ServerProcess worker = worker(pgUrl, redis, jar).awaitStart()) {
        await().atMost(PATIENCE).until(() -> ids.stream().allMatch(id -> ended(millpond, id)));
        for (UUID id : ids) {
          JobView job = millpond.find(id).orElseThrow();
          assertThat(job.state()).isEqualTo(JobState.SUCCEEDED);
          assertThat(job.attempt()).isOne();
          assertThat(job.attempts().stream().filter(a -> a.ended().equals("rescued"))).isEmpty();
        }
        worker.terminate();
        assertThat(worker.exitCode()).isZero();
      }
      assertThat(millpond.checkBooks(java.util.Set.copyOf(ids)).findings()).isEmpty();
    }
    Collections.sort(taken);
    System.out.printf(
        "SIGTERM to exit, %d times, %d jobs: p50 %d ms, max %d ms; 0 lost, 0 attempts%n",
        TERMS, ids.size(), taken.get(taken.size() / 2), taken.getLast());
    assertThat(taken.getLast()).isLessThan(BOUND.toMillis());
  }

  private interface Starts {
    ServerProcess start() throws IOException;
  }

  /** Kills the worker that runs all jobs while another one stands by. */
  private List<Long> kill(Millpond millpond, List<ServerProcess> workers, Starts starts)
      throws Exception {
    Path round = Files.createTempDirectory(directory, "round");
    List<JobRequest> requests = new ArrayList<>();
    for (int i = 0; i < JOBS; i++) {
      requests.add(JobRequest.of("timed", round.toString()));
    }
    List<UUID> ids = accepted(millpond.submit(requests));
    await().atMost(PATIENCE).until(() -> starts(round).size() == JOBS);
    ServerProcess next = starts.start();
    workers.add(next);
    next.awaitStart();
    // Some past their settle time, so tracked; those of a later round still in their batch.
    long began = System.currentTimeMillis();
    workers.removeFirst().close();
    await().atMost(PATIENCE).until(() -> starts(round).size() == 2 * JOBS);
    Files.createFile(round.resolve("go"));
    await().atMost(PATIENCE).until(() -> ids.stream().allMatch(id -> ended(millpond, id)));
    for (UUID id : ids) {
      assertThat(millpond.find(id).orElseThrow().attempt()).isOne();
    }
    return starts(round).stream()
        .filter(start -> start.pid() == next.pid())
        .map(start -> start.atMillis() - began)
        .toList();
  }

  private static List<Start> starts(Path round) throws IOException {
    try (Stream<Path> files = Files.list(round)) {
      List<Start> starts = new ArrayList<>();
      for (Path file : files.filter(f -> f.getFileName().toString().length() > 36).toList()) {
        if (!file.getFileName().toString().startsWith("part-")) {
          String[] words = Files.readString(file).split(" ", -1);
          starts.add(new Start(Long.parseLong(words[0]), Long.parseLong(words[1])));
        }
      }
      return starts;
    }
  }

  private ServerProcess worker(String pgUrl, TestRedis redis, Path jar) throws IOException {
    List<String> flags =
        new ArrayList<>(
            Arrays.asList(
                "--role=worker",
                "--timing=" + TIMING,
                "--worker-slots=64",
                "--handlers",
                jar.toString()));
    if (REDIS) {
      flags.addAll(List.of("--redis-urls", redis.url()));
    }
    return ServerProcess.start(
        Files.createTempDirectory(directory, "worker"), pgUrl, flags.toArray(String[]::new));
  }

  private static Millpond maintainer(String pgUrl, TestRedis redis) {
    MillpondConfig config =
        MillpondConfig.of(pgUrl)
            .withTiming(TIMING.equals("fast") ? Timing.FAST : Timing.DEFAULT)
            .withSlots(1);
    Millpond millpond = Millpond.connect(REDIS ? config.withRedis(List.of(redis.url())) : config);
    millpond.startMaintenance();
    return millpond;
  }

  private static boolean ended(Millpond millpond, UUID id) {
    return millpond.find(id).orElseThrow().state() == JobState.SUCCEEDED;
  }

  private static List<UUID> submit(Millpond to, String kind, int count) {
    List<JobRequest> requests = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      requests.add(JobRequest.of(kind, ""));
    }
    return accepted(to.submit(requests));
  }

  private static List<UUID> accepted(List<SubmitResult> results) {
    return results.stream().map(result -> ((SubmitResult.Accepted) result).id()).toList();
  }
}
