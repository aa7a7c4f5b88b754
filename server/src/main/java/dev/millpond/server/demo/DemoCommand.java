package dev.millpond.server.demo;

import dev.millpond.api.UnavailableException;
import dev.millpond.embedded.EmbeddedServerException;
import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.demo.store.RunOutcomes;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * {@code millpond demo}: starts everything on this machine, has real jobs run, checks what they
 * made, and stays up. Exit codes: 0 well, 1 something is missing or wrong, 2 it cannot start as
 * asked, 3 PostgreSQL or the API was lost on the way.
 */
@Command(
    name = "demo",
    description = {
      "Runs Millpond on this machine, with embedded PostgreSQL and Redis, and real jobs:",
      "thumbnails of pictures (image.resize), checksums of files (file.checksum), calls and mails",
      "to receivers of its own (http.call, email.send).",
      "Then checks every output and stays up, with one job a second, until Ctrl-C."
    },
    mixinStandardHelpOptions = true,
    showDefaultValues = true,
    sortOptions = false)
public final class DemoCommand implements Callable<Integer> {
  private static final int OK = 0;
  private static final int CHECK_FAILED = 1;
  private static final int CANNOT_START = 2;
  private static final int LOST = 3;

  private static final int WORKERS_MAX = 32;

  /** Jobs at once in one worker process, whose heap has to hold a picture for each. */
  private static final int SLOTS_MAX = 16;

  /** Of so many jobs one is a picture, one a call and one a mail. */
  private static final int CYCLE = 5;

  /** Tasks that the trickle repeats, so that its thumbnails stay few. */
  private static final int TRICKLE_TASKS = 600;

  private static final Duration TRICKLE_EVERY = Duration.ofSeconds(1);

  @Option(
      names = "--data",
      paramLabel = "DIR",
      defaultValue = ".millpond",
      description = "Directory for PostgreSQL's data, thumbnails and logs; kept between runs.")
  private Path data = Path.of(".millpond");

  @Option(
      names = "--port",
      paramLabel = "N",
      defaultValue = "8080",
      description = "Port of the API on 127.0.0.1; 0 takes a free one.")
  private int port;

  @Option(
      names = "--workers",
      paramLabel = "N",
      defaultValue = "2",
      description = "Worker processes, 1 to " + WORKERS_MAX + ".")
  private int workers;

  @Option(
      names = "--jobs",
      paramLabel = "N",
      defaultValue = "1000",
      description = "Jobs to submit, 1 to 1000000.")
  private int jobs;

  @Option(names = "--exit", description = "End when all jobs are done and checked.")
  private boolean exit;

  @Option(
      names = "--images",
      paramLabel = "DIR",
      description = "Pictures to make thumbnails of. Default: those that Millpond ships.")
  private @Nullable Path images;

  @Option(
      names = "--files",
      paramLabel = "DIR",
      description = "Files to compute checksums of. Default: Millpond's own.")
  private @Nullable Path files;

  @Option(
      names = "--redis",
      negatable = true,
      defaultValue = "true",
      fallbackValue = "true",
      description = "Move the work over Redis Streams; with --no-redis PostgreSQL does it alone.")
  private boolean redis;

  @Option(
      names = "--timing",
      paramLabel = "PROFILE",
      defaultValue = "default",
      description = "Leases and beats: default or fast.")
  private String timing = "default";

  @Spec private CommandSpec spec = CommandSpec.create();

  private final PrintStream out = System.out;
  private volatile @Nullable ProgressLine progress;
  private volatile boolean stopping;
  private volatile boolean done;

  @Override
  public Integer call() {
    validate();
    // Before the first log line: what the processes log is in their files.
    System.setProperty(ConfigKey.LOG_LEVEL.env(), "warn");
    Path folder = data.toAbsolutePath().normalize();
    try {
      return run(new DemoFolder(folder), folder);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return LOST;
    } catch (DemoException | EmbeddedServerException e) {
      return fail(CANNOT_START, String.valueOf(e.getMessage()));
    } catch (IOException e) {
      return fail(CANNOT_START, "Cannot use a file: " + e);
    } catch (UnavailableException e) {
      return fail(LOST, "PostgreSQL was lost: " + e.getMessage());
    }
  }

  private void validate() {
    check(port >= 0 && port <= 65_535, "--port must be 0 to 65535, is " + port);
    check(
        workers >= 1 && workers <= WORKERS_MAX,
        "--workers must be 1 to " + WORKERS_MAX + ", is " + workers);
    check(
        jobs >= 1 && jobs <= DemoRun.JOBS_MAX,
        "--jobs must be 1 to " + DemoRun.JOBS_MAX + ", is " + jobs);
    check(
        List.of("default", "fast").contains(timing),
        "--timing must be default or fast, is " + timing);
    check(images == null || Files.isDirectory(images), "--images is not a directory: " + images);
    check(files == null || Files.isDirectory(files), "--files is not a directory: " + files);
  }

  private void check(boolean valid, String message) {
    if (!valid) {
      throw new ParameterException(spec.commandLine(), message);
    }
  }

  private int run(DemoFolder folder, Path dataDir) throws InterruptedException, IOException {
    Layout layout = Layout.find();
    Inputs inputs =
        new Inputs(
            DemoWork.picturesIn(images == null ? folder.pictures(layout.handlers()) : images),
            DemoWork.filesIn(files == null ? layout.files() : files),
            folder.newRun());
    DemoTopology topology = new DemoTopology(plan(layout, dataDir), this::say);
    // Set before anything starts: a Ctrl-C in the middle has to stop what is up by then.
    Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(topology, folder), "demo-stop"));
    try (Sinks sinks = Sinks.open(folder.sinksFile(), inputs.runId());
        topology) {
      say(
          "Starting PostgreSQL, "
              + (redis ? "Redis, " : "")
              + processes()
              + ". Logs: "
              + dataDir.resolve("logs"));
      topology.start();
      folder.writeRunFile(topology, inputs.runId());
      return work(topology, inputs, sinks);
    } finally {
      Files.deleteIfExists(folder.runFile());
      done = true;
    }
  }

  /** What to work on, and where the thumbnails go. */
  private record Inputs(List<Path> pictures, List<Path> files, Path runFolder) {
    String runId() {
      return runFolder.getFileName().toString();
    }
  }

  private DemoTopology.Plan plan(Layout layout, Path dataDir) {
    return new DemoTopology.Plan(
        dataDir,
        port,
        workers,
        slots(),
        timing,
        redis,
        layout.handlers(),
        layout.withoutHandlers(System.getProperty("java.class.path")));
  }

  private static int slots() {
    return Math.min(SLOTS_MAX, 2 * Runtime.getRuntime().availableProcessors());
  }

  private String processes() {
    return "an API process and %d worker %s"
        .formatted(workers, workers == 1 ? "process" : "processes");
  }

  private int work(DemoTopology topology, Inputs inputs, Sinks sinks)
      throws InterruptedException, IOException {
    say("API: " + topology.url() + "   try: curl " + topology.url() + "/v1/queues");
    say(
        "%d jobs: thumbnails of %d pictures, checksums of %d files, calls, mails; %s, %d jobs at once each"
            .formatted(
                jobs, inputs.pictures().size(), inputs.files().size(), processes(), slots()));
    DemoWork work =
        new DemoWork(
            inputs.pictures(),
            inputs.files(),
            inputs.runFolder().resolve("thumbnails"),
            CYCLE,
            DemoWork.Receivers.of(sinks));
    Submitter submitter = new Submitter(topology.url(), "demo-" + inputs.runId());
    DemoRun run = new DemoRun(work, submitter, jobs);
    RunReport report;
    try (RunOutcomes outcomes = RunOutcomes.open(topology.pgUrl())) {
      ProgressLine line = new ProgressLine(out, ProgressLine.onTerminal(), jobs);
      progress = line;
      run.runAll(outcomes, line::update);
      line.end();
      report = RunReport.of(run, outcomes, topology.config(), sinks);
    }
    sinks.forget();
    Files.write(inputs.runFolder().resolve("report.json"), report.json());
    print(report, inputs.runFolder());
    if (!exit) {
      trickle(submitter, work);
    }
    return report.clean() ? OK : CHECK_FAILED;
  }

  private void print(RunReport report, Path runFolder) {
    say(
        String.format(
            Locale.ROOT,
            "%d of %d jobs succeeded in %.1f s, %.0f jobs/s; %d after more than one attempt",
            report.succeeded(),
            report.jobs(),
            report.took().toMillis() / 1_000.0,
            report.jobsPerSecond(),
            report.retried()));
    say("  submit to start  " + report.waiting() + "   (the queue in front of a job included)");
    say("  run              " + report.running());
    say("  submit to end    " + report.total());
    say("  calls            " + received(report.calls()));
    say("  mails            " + received(report.mails()));
    if (report.changed() > 0) {
      say("  " + report.changed() + " checksums not compared: their files were changed since");
    }
    if (report.clean()) {
      say(
          "Checked: %d outputs read again, books in order. Thumbnails: %s"
              .formatted(report.outputs(), runFolder));
      return;
    }
    say("WRONG: " + report.problemCount() + " problems");
    report.problems().forEach(problem -> say("  " + problem));
    if (report.problemCount() > report.problems().size()) {
      say("  and " + (report.problemCount() - report.problems().size()) + " more");
    }
  }

  private static String received(OutputCheck.Sent sent) {
    return "%d came with the content that was asked for, %d duplicates%s"
        .formatted(
            sent.compared(),
            sent.duplicates(),
            sent.notKept() == 0 ? "" : "; " + sent.notKept() + " not kept for the comparison");
  }

  /** Submits a job a second for as long as the demo stays up. */
  private void trickle(Submitter submitter, DemoWork work) throws InterruptedException {
    say("One job a second from now on. Ctrl-C stops everything; the data stays in " + data);
    for (int number = jobs; ; number++) {
      try {
        submitter.submit(number, List.of(work.task(jobs + number % TRICKLE_TASKS)));
      } catch (DemoException e) {
        if (stopping) {
          return;
        }
        say(String.valueOf(e.getMessage()));
      }
      Thread.sleep(TRICKLE_EVERY);
    }
  }

  /** Runs when the JVM ends: after the work, or in the middle of it by a signal. */
  private void stop(DemoTopology topology, DemoFolder folder) {
    if (done) {
      return;
    }
    stopping = true;
    say("Stopping");
    topology.close();
    try {
      Files.deleteIfExists(folder.runFile());
    } catch (IOException e) {
      say("Cannot delete " + folder.runFile() + ": " + e.getMessage());
    }
  }

  private void say(String line) {
    ProgressLine shown = progress;
    if (shown == null) {
      out.println(line);
    } else {
      shown.say(line);
    }
  }

  private int fail(int code, String message) {
    if (!stopping) { // What breaks while everything is being stopped is no news.
      spec.commandLine().getErr().println(message);
    }
    return code;
  }
}
