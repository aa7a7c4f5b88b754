package dev.millpond.engine.crash;

import dev.millpond.api.JobOptions;
import dev.millpond.api.JobRequest;
import dev.millpond.api.SubmitResult;
import dev.millpond.api.UnavailableException;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.MillpondConfig;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;

/**
 * The process that is struck. Does what the lines on its standard input say, and says on standard
 * output when it has; ends when its input does.
 */
final class SubjectMain {
  static final String READY = "ready";
  static final String NO_REDIS = "none";
  private static final int SLOTS = 1;

  private final Millpond millpond;
  private final Journal acknowledged;
  private final String queue;
  private final CountDownLatch gate = new CountDownLatch(1);

  private SubjectMain(Millpond millpond, Journal acknowledged, Journal ledger, String queue) {
    this.millpond = millpond;
    this.acknowledged = acknowledged;
    this.queue = queue;
    Task.register(millpond, Task.KIND, Subject.NAME, ledger, gate);
  }

  /**
   * Connects and serves.
   *
   * @param arguments PostgreSQL, Redis or {@link #NO_REDIS}, the folder of the journals, the queue
   */
  public static void main(String[] arguments) throws IOException {
    MillpondConfig config =
        MillpondConfig.of(arguments[0]).withSlots(SLOTS).withTiming(CrashScene.TIMING);
    if (!arguments[1].equals(NO_REDIS)) {
      config = config.withRedis(List.of(arguments[1]));
    }
    Path folder = Path.of(arguments[2]);
    SubjectMain subject =
        new SubjectMain(
            Millpond.connect(config),
            new Journal(folder.resolve(Subject.ACKNOWLEDGED), true),
            new Journal(folder.resolve(Subject.LEDGER), false),
            arguments[3]);
    BufferedReader input =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    System.out.println(READY);
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      String[] words = line.split(" ");
      System.out.println(line + ": " + subject.act(words));
    }
    // Closed before the exit: the archive of its classes is written then, and must not meet a
    // thread
    // that is still loading some.
    subject.millpond.close();
    System.exit(0);
  }

  private Object act(String[] words) {
    try {
      return switch (words[0]) {
        case "submit" -> submit(Integer.parseInt(words[1]), JobOptions.DEFAULT);
        case "submit-expiring" ->
            submit(
                Integer.parseInt(words[1]), JobOptions.DEFAULT.withExpiresIn(Duration.ofHours(1)));
        case "submit-keyed" -> submit(1, JobOptions.DEFAULT.withIdempotencyKey(words[1]));
        case "work" -> {
          millpond.startWorker();
          yield "works";
        }
        case "maintain" -> {
          millpond.startMaintenance();
          yield "maintains";
        }
        case "redrive" -> millpond.redrive(UUID.fromString(words[1]));
        case "run-now" -> millpond.runNow(UUID.fromString(words[1]));
        case "put-off" ->
            millpond.reschedule(
                UUID.fromString(words[1]), new JobRequest.Start.In(Duration.ofHours(1)));
        case "change-class" -> millpond.changeClass(UUID.fromString(words[1]), words[2]);
        case "drain" -> millpond.drain(Duration.ofSeconds(1));
        case "follow" -> {
          long version = Long.parseLong(words[1]);
          CrashScene.await(() -> millpond.flow().settings().version() >= version);
          yield "follows";
        }
        case "open" -> {
          gate.countDown();
          yield "open";
        }
        default -> throw new IllegalArgumentException(words[0]);
      };
    } catch (UnavailableException e) {
      return e.toString();
    }
  }

  /** Submits in one call, and notes what was accepted. */
  private Object submit(int jobs, JobOptions options) {
    JobRequest request = new Task(Task.What.SUCCEED).request(queue).withOptions(options);
    List<SubmitResult> results = millpond.submit(Collections.nCopies(jobs, request));
    for (SubmitResult result : results) {
      switch (result) {
        case SubmitResult.Accepted accepted -> acknowledged.add(accepted.id().toString());
        case SubmitResult.Existing existing -> acknowledged.add(existing.id().toString());
        case SubmitResult.Refused ignored -> {}
      }
    }
    return results;
  }
}
