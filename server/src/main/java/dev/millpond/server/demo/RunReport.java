package dev.millpond.server.demo;

import dev.millpond.engine.Millpond;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.books.BooksReport;
import dev.millpond.server.demo.store.RunOutcomes;
import dev.millpond.server.demo.store.RunOutcomes.Ended;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What became of a run, read back from PostgreSQL and from the disk after its end.
 *
 * @param jobs acknowledged jobs
 * @param succeeded of them, with an outcome
 * @param retried of them, ended in a later attempt than the first
 * @param outputs outputs that were read again
 * @param changed outputs that could not be compared, because their file was changed in the meantime
 * @param problems what is missing or wrong, at most {@link #PROBLEMS_MAX}
 * @param problemCount all of them
 * @param took from the first submit to the last end, by the database's clock
 */
record RunReport(
    int jobs,
    int succeeded,
    int retried,
    int outputs,
    int changed,
    List<String> problems,
    int problemCount,
    Duration took,
    Latencies waiting,
    Latencies running,
    Latencies total) {
  static final int PROBLEMS_MAX = 20;

  boolean clean() {
    return problemCount == 0;
  }

  double jobsPerSecond() {
    return jobs / Math.max(0.001, took.toMillis() / 1_000.0);
  }

  /** Reads everything back. */
  static RunReport of(DemoRun run, RunOutcomes outcomes, MillpondConfig config) {
    return new Reader(run).read(outcomes, config);
  }

  /** Collects the report. */
  private static final class Reader {
    private final List<UUID> journal;
    private final DemoWork work;
    private final OutputCheck check;
    private final Latencies waiting;
    private final Latencies running;
    private final Latencies total;
    private final List<String> problems = new ArrayList<>();
    private int problemCount;
    private int succeeded;
    private int retried;
    private @Nullable Instant first;
    private @Nullable Instant last;

    Reader(DemoRun run) {
      this.journal = run.journal();
      this.work = run.work();
      this.check = new OutputCheck(run.since());
      this.waiting = new Latencies(journal.size());
      this.running = new Latencies(journal.size());
      this.total = new Latencies(journal.size());
    }

    RunReport read(RunOutcomes outcomes, MillpondConfig config) {
      for (int i = 0; i < journal.size(); i += RunOutcomes.IDS_MAX) {
        List<UUID> ids = journal.subList(i, Math.min(journal.size(), i + RunOutcomes.IDS_MAX));
        Map<UUID, Ended> ended = outcomes.read(ids);
        for (int j = 0; j < ids.size(); j++) {
          take(i + j, ids.get(j), ended.get(ids.get(j)));
        }
      }
      // The queue's own books; other runs on the same data count too.
      try (Millpond millpond = Millpond.connect(config)) {
        BooksReport books = millpond.checkBooks(new HashSet<>(journal));
        if (!books.clean()) {
          books.findings().forEach(finding -> problem("books: " + finding));
        }
      }
      Duration took = first == null || last == null ? Duration.ZERO : Duration.between(first, last);
      return new RunReport(
          journal.size(),
          succeeded,
          retried,
          check.outputs(),
          check.changed(),
          List.copyOf(problems),
          problemCount,
          took,
          waiting,
          running,
          total);
    }

    private void take(int index, UUID id, @Nullable Ended ended) {
      DemoWork.Task task = work.task(index);
      if (ended == null) {
        problem("job " + id + " (" + task.kind() + ") has no outcome");
        return;
      }
      if (!ended.outcome().equals("succeeded")) {
        problem("job " + id + " (" + task + ") is " + ended.outcome() + ": " + ended.error());
        return;
      }
      succeeded++;
      retried += ended.attempt() > 1 ? 1 : 0;
      first = first == null || ended.createdAt().isBefore(first) ? ended.createdAt() : first;
      last = last == null || ended.endedAt().isAfter(last) ? ended.endedAt() : last;
      total.add(Duration.between(ended.createdAt(), ended.endedAt()));
      if (ended.startedAt() == null) {
        problem("job " + id + " succeeded without a start");
      } else {
        waiting.add(Duration.between(ended.createdAt(), ended.startedAt()));
        running.add(Duration.between(ended.startedAt(), ended.endedAt()));
      }
      check
          .problemWith(task, String.valueOf(ended.result()))
          .ifPresent(wrong -> problem("job " + id + " (" + task + "): " + wrong));
    }

    private void problem(String text) {
      problemCount++;
      if (problems.size() < PROBLEMS_MAX) {
        problems.add(text);
      }
    }
  }
}
