package dev.millpond.server.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.examples.demo.DemoHandlers;
import dev.millpond.server.demo.store.RunOutcomes;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The demo's own processes and work, while workers are killed and Redis is wiped. */
@Order(1) // takes long: begins first
class DemoSurvivesFaultsIT {
  private static final long SEED = 20_261_122;
  private static final int JOBS = Integer.getInteger("millpond.demo.jobs", 5_000);
  private static final int FAULTS_OF_A_KIND = 2;
  private static final int IN_FLIGHT_LEAST = 100;
  private static final int WORKERS = 2;
  private static final int SLOTS = 4;
  private static final int CYCLE = 100;
  private static final int FILES = 200;

  /** Longer than what is lost takes to be found. */
  private static final Duration CALM = Duration.ofSeconds(1);

  private static final Duration EFFECT_PATIENCE = Duration.ofSeconds(30);
  private static final Duration END_PATIENCE = Duration.ofMinutes(2);

  private enum Fault {
    KILL_WORKER("millpond_jobs_rescued_total"),
    WIPE_REDIS("millpond_jobs_reconciled_total");

    /** Rises with each job that it hit. */
    final String counter;

    Fault(String counter) {
      this.counter = counter;
    }
  }

  @TempDir private Path folder;
  private final Random random = new Random(SEED);
  private final HttpClient http = HttpClient.newHttpClient();

  @Test
  @Timeout(value = 5, unit = TimeUnit.MINUTES)
  void noJobIsLostOrEndsTwiceWhenWorkersAreKilledAndRedisIsWiped() throws Exception {
    Path ledger = folder.resolve("ledger");
    Path jar = folder.resolve("ledger-handlers.jar");
    LedgerHandlers.makeJar(jar, ledger);
    DemoTopology.Plan plan =
        new DemoTopology.Plan(
            folder.resolve("data"), 0, WORKERS, SLOTS, "fast", true, jar, classPath());
    try (Sinks sinks = Sinks.open(folder.resolve("sinks"), "faults");
        DemoTopology topology = new DemoTopology(plan, line -> {})) {
      topology.start();
      DemoWork work =
          new DemoWork(
              DemoWork.picturesIn(new DemoFolder(folder).pictures(jar)),
              makeFiles(),
              folder.resolve("thumbnails"),
              CYCLE,
              DemoWork.Receivers.of(sinks));
      DemoRun run = new DemoRun(work, new Submitter(topology.url(), "faults"), JOBS);
      try (RunOutcomes outcomes = RunOutcomes.open(topology.pgUrl());
          Connection sql = DriverManager.getConnection(topology.pgUrl())) {
        int inFlight = submitAndStrike(run, topology, sql);

        await().atMost(END_PATIENCE).until(() -> run.look(outcomes) == JOBS);

        RunReport report = RunReport.of(run, outcomes, topology.config(), sinks);
        assertThat(report.problems()).isEmpty();
        assertThat(report.succeeded()).isEqualTo(JOBS);
        assertThat(report.calls().compared()).isEqualTo(JOBS / CYCLE);
        assertThat(report.mails().compared()).isEqualTo(JOBS / CYCLE);
        System.out.println("calls " + report.calls() + ", mails " + report.mails());
        assertNothingLostOrDoubled(run.journal(), sql);
        assertLedger(run.journal(), Files.readAllLines(ledger), inFlight);
      }
    }
  }

  /**
   * Submits all jobs in portions, and strikes while the work on each is held, so that it does not
   * depend on the machine's speed; sums up what was in flight.
   */
  private int submitAndStrike(DemoRun run, DemoTopology topology, Connection sql)
      throws IOException, InterruptedException, SQLException {
    List<Fault> faults = new ArrayList<>();
    for (Fault fault : Fault.values()) {
      faults.addAll(Collections.nCopies(FAULTS_OF_A_KIND, fault));
    }
    Collections.shuffle(faults, random);
    Path hold = folder.resolve(LedgerHandlers.HOLD);
    int portion = JOBS / faults.size();
    int caught = 0;
    for (int i = 0; i < faults.size(); i++) {
      Files.createFile(hold);
      run.submit(i * portion, (i + 1) * portion);
      awaitCalm(faults.get(i), topology);
      String victim = awaitTheMoment(topology, sql);
      int inFlight = inFlight(sql);
      long nanos = System.nanoTime();
      double rescues = strike(faults.get(i), victim, topology, sql);
      Files.delete(hold);
      System.out.printf(
          "%s with %d jobs in flight: %.0f rescued or reconciled, the first after %d ms%n",
          faults.get(i), inFlight, rescues, (System.nanoTime() - nanos) / 1_000_000);
      caught += inFlight;
    }
    return caught;
  }

  /** Waits until no fault before it has any more effect on its counter. */
  private void awaitCalm(Fault fault, DemoTopology topology) {
    double[] last = {-1};
    await()
        .during(CALM)
        .atMost(EFFECT_PATIENCE)
        .until(() -> {
          double now = sum(topology.url(), fault.counter);
          boolean same = now == last[0];
          last[0] = now;
          return same;
        });
  }

  /** Waits for enough work on its way, and names a worker that has some. */
  private String awaitTheMoment(DemoTopology topology, Connection sql) {
    List<String> workers = new ArrayList<>();
    for (int i = 1; i <= WORKERS; i++) {
      workers.add(DemoTopology.worker(i));
    }
    Collections.shuffle(workers, random);
    AtomicReference<Optional<String>> victim = new AtomicReference<>(Optional.empty());
    await()
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(2))
        .atMost(EFFECT_PATIENCE)
        .until(() -> {
          victim.set(workers.stream().filter(w -> isBusy(topology, w)).findFirst());
          return victim.get().isPresent() && inFlight(sql) >= IN_FLIGHT_LEAST;
        });
    return victim.get().orElseThrow();
  }

  private boolean isBusy(DemoTopology topology, String worker) {
    return topology.supervisor().pid(worker).isPresent()
        && topology
            .address(worker)
            .map(address -> sum(address, "millpond_worker_slots{state=\"busy\"}") > 0)
            .orElse(false);
  }

  /** Strikes, and returns how far the counter of its rescues has grown by the first growth. */
  private double strike(Fault fault, String victim, DemoTopology topology, Connection sql)
      throws SQLException {
    double before = sum(topology.url(), fault.counter);
    switch (fault) {
      case KILL_WORKER -> kill(victim, topology, sql);
      case WIPE_REDIS -> wipe(URI.create(topology.redisUrl().orElseThrow()));
    }
    return await()
            .alias(fault + " has no effect on " + fault.counter)
            .atMost(EFFECT_PATIENCE)
            .until(() -> sum(topology.url(), fault.counter), now -> now > before)
        - before;
  }

  /** Kills a worker and waits until its session is fenced. */
  private static void kill(String victim, DemoTopology topology, Connection sql)
      throws SQLException {
    String live =
        "SELECT count(*) FROM millpond.worker WHERE NOT fenced AND pid = "
            + topology.supervisor().pid(victim).orElseThrow();
    assertThat(number(sql, live)).as("live sessions of %s", victim).isEqualTo(1);
    topology.supervisor().kill(victim);
    await().atMost(EFFECT_PATIENCE).until(() -> number(sql, live) == 0);
  }

  private static void wipe(URI redis) {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), redis.getPort())) {
      OutputStream out = socket.getOutputStream();
      out.write("FLUSHALL\r\n".getBytes(StandardCharsets.US_ASCII));
      out.flush();
      assertThat(new String(socket.getInputStream().readNBytes(3), StandardCharsets.US_ASCII))
          .isEqualTo("+OK");
    } catch (IOException e) {
      throw new AssertionError("Redis cannot be wiped", e);
    }
  }

  /** Jobs in streams or in the hands of workers. */
  private static int inFlight(Connection sql) throws SQLException {
    return number(
        sql,
        """
        SELECT (SELECT coalesce(sum(cardinality(job_ids)), 0) FROM millpond.dispatch
                WHERE sent_at IS NOT NULL OR claimed_by IS NOT NULL)
             + (SELECT count(*) FROM millpond.job_state WHERE phase = 'running')
        """);
  }

  private static void assertNothingLostOrDoubled(List<UUID> journal, Connection sql)
      throws SQLException {
    assertThat(new HashSet<>(journal)).as("acknowledged ids").hasSize(JOBS);
    assertThat(number(sql, "SELECT count(*) FROM millpond.job")).as("jobs").isEqualTo(JOBS);
    assertThat(number(sql, "SELECT count(*) FROM millpond.job_outcome"))
        .as("outcomes")
        .isEqualTo(JOBS);
    assertThat(number(sql, "SELECT count(*) FROM millpond.dead_letter"))
        .as("dead letters")
        .isZero();
  }

  /** Every job ran, no strange one did, and only what a fault caught in flight ran twice. */
  private static void assertLedger(List<UUID> journal, List<String> lines, int inFlight) {
    Set<UUID> ran =
        lines.stream()
            .map(line -> UUID.fromString(line.split(" ", 2)[0]))
            .collect(Collectors.toSet());
    assertThat(ran).isEqualTo(new HashSet<>(journal));
    assertThat(new HashSet<>(lines)).as("runs with a token of their own").hasSize(lines.size());
    assertThat(lines.size() - ran.size()).as("extra runs").isBetween(1, inFlight);
  }

  /** Sum of all metrics that start so; nothing from a process that does not answer. */
  private double sum(URI process, String metric) {
    try {
      HttpRequest request =
          HttpRequest.newBuilder(process.resolve("/metrics"))
              .timeout(Duration.ofSeconds(5))
              .build();
      return http.send(request, HttpResponse.BodyHandlers.ofString())
          .body()
          .lines()
          .filter(line -> line.startsWith(metric))
          .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
          .sum();
    } catch (IOException e) {
      return 0;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  private static int number(Connection sql, String query) throws SQLException {
    try (Statement statement = sql.createStatement();
        ResultSet row = statement.executeQuery(query)) {
      row.next();
      return row.getInt(1);
    }
  }

  private List<Path> makeFiles() throws IOException {
    Path files = Files.createDirectory(folder.resolve("files"));
    for (int i = 0; i < FILES; i++) {
      byte[] content = new byte[1 + random.nextInt(16 * 1024)];
      random.nextBytes(content);
      Files.write(files.resolve("file-" + i), content);
    }
    return DemoWork.filesIn(files);
  }

  /** The class path of this test without its own classes and the handlers: as in production. */
  private static String classPath() {
    Set<Path> without =
        Set.of(
            LedgerHandlers.location(DemoSurvivesFaultsIT.class),
            LedgerHandlers.location(DemoHandlers.class));
    return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator, -1))
        .filter(entry -> !without.contains(Path.of(entry)))
        .collect(Collectors.joining(File.pathSeparator));
  }
}
