package dev.millpond.server.demo;

import dev.millpond.engine.Millpond;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.books.BooksReport;
import dev.millpond.server.demo.OutputCheck.Sent;
import dev.millpond.server.demo.store.RunOutcomes;
import dev.millpond.server.demo.store.RunOutcomes.Ended;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.ObjectMapper;

/**
 * What became of a run, read back from PostgreSQL and from the disk after its end.
 *
 * @param jobs acknowledged jobs
 * @param succeeded of them, with an outcome
 * @param retried of them, ended in a later attempt than the first
 * @param calls calls that were asked for
 * @param mails mails that were asked for
 * @param outputs outputs that were read again, those of calls and mails among them
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
    Sent calls,
    Sent mails,
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

  /**
   * Reads everything back.
   *
   * @param sinks where the run's calls and mails went; null when it had none
   */
  static RunReport of(
      DemoRun run, RunOutcomes outcomes, MillpondConfig config, @Nullable Sinks sinks) {
    return new Reader(run, sinks).read(outcomes, config);
  }

  /** The same for programs. */
  byte[] json() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("clean", clean());
    fields.put("jobs", jobs);
    fields.put("succeeded", succeeded);
    fields.put("retried", retried);
    fields.put("outputs", outputs);
    fields.put("changed", changed);
    fields.put("calls", json(calls));
    fields.put("mails", json(mails));
    fields.put("tookMillis", took.toMillis());
    fields.put("jobsPerSecond", jobsPerSecond());
    fields.put("problemCount", problemCount);
    fields.put("problems", problems);
    return new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsBytes(fields);
  }

  private static Map<String, Object> json(Sent sent) {
    return Map.of(
        "compared", sent.compared(),
        "duplicates", sent.duplicates(),
        "notKept", sent.notKept());
  }

  /** Collects the report. */
  private static final class Reader {
    private final List<UUID> journal;
    private final DemoWork work;
    private final @Nullable Sinks sinks;
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

    Reader(DemoRun run, @Nullable Sinks sinks) {
      this.sinks = sinks;
      this.journal = run.journal();
      this.work = run.work();
      this.check = new OutputCheck(run.since(), sinks);
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
      if (sinks != null) {
        strangers("a call", sinks.calls().receipts());
        strangers("a mail", sinks.mails().receipts());
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
          check.calls(),
          check.mails(),
          List.copyOf(problems),
          problemCount,
          took,
          waiting,
          running,
          total);
    }

    private void strangers(String what, Receipts receipts) {
      receipts
          .strangersTo(journal)
          .forEach(id -> problem(what + " came from job " + id + ", which is none of this run"));
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
          .problemWith(
              task,
              new OutputCheck.Done(id, ended.leaseToken() == 1, String.valueOf(ended.result())))
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
