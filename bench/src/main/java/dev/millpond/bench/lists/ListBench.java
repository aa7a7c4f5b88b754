package dev.millpond.bench.lists;

import dev.millpond.api.JobState;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.query.Cursors;
import dev.millpond.engine.query.DeadLetterFilter;
import dev.millpond.engine.query.JobFilter;
import dev.millpond.engine.query.Page;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Times the list queries on a large installation: {@code load} fills an empty database with jobs of
 * all fates, {@code read} asks each list for its first page and a deep one, {@code books} checks
 * them. See docs/list-queries.md.
 */
public final class ListBench {
  /** Each query is asked this often; the first answer is shown beside the median. */
  private static final int REPEATS = 7;

  /** Where the deep pages are, of the seven days that are loaded. */
  private static final Duration DEEP = Duration.ofDays(5);

  private static final int LIMIT = 50;

  private final Millpond millpond;
  private final PrintStream out;

  private ListBench(Millpond millpond, PrintStream out) {
    this.millpond = millpond;
    this.out = out;
  }

  public static void main(String[] args) throws SQLException, IOException {
    if (args.length < 2) {
      System.err.println("usage: ListBench load PG_URL JOBS | read PG_URL | books PG_URL");
      System.exit(2);
    }
    switch (args[0]) {
      case "load" -> load(args[1], Integer.parseInt(args[2]));
      case "read" -> {
        try (Millpond millpond = Millpond.connect(args[1])) {
          new ListBench(millpond, System.out).read();
        }
      }
      case "books" -> {
        try (Millpond millpond = Millpond.connect(args[1])) {
          System.out.println(millpond.checkBooks());
        }
      }
      default -> throw new IllegalArgumentException("load, read or books, not " + args[0]);
    }
  }

  private static void load(String pgUrl, int jobs) throws SQLException, IOException {
    Millpond.migrate(pgUrl);
    String sql;
    try (InputStream in =
        Objects.requireNonNull(ListBench.class.getResourceAsStream("jobs.sql"), "jobs.sql")) {
      sql = new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
    long began = System.nanoTime();
    try (Connection connection = DriverManager.getConnection(pgUrl);
        Statement statement = connection.createStatement()) {
      for (String part : sql.replace(":jobs", Integer.toString(jobs)).split(";\n", -1)) {
        if (!part.isBlank()) {
          statement.execute(part);
        }
      }
    }
    System.out.printf(
        Locale.ROOT, "%,d jobs in %d s%n", jobs, (System.nanoTime() - began) / 1_000_000_000);
  }

  private void read() {
    out.println("| list | page | first ms | median ms | items | partial |");
    out.println("|---|---|---|---|---|---|");
    JobFilter all = JobFilter.ALL;
    Instant deep = Instant.now().minus(DEEP);
    jobs("all", all);
    jobs("queue=default", all.withQueue("default"));
    jobs("queue=rare", all.withQueue("rare"));
    jobs("queue=none", all.withQueue("none"));
    jobs("kind=mail.send", all.withKind("mail.send"));
    for (JobState state : JobState.values()) {
      jobs("state=" + state.wireName(), all.withStates(state));
    }
    jobs("state=scheduled,dead", all.withStates(JobState.SCHEDULED, JobState.DEAD));
    jobs("state=succeeded, queue=rare", all.withStates(JobState.SUCCEEDED).withQueue("rare"));
    jobs("tag=import", all.withTag("import"));
    jobs("tag=none", all.withTag("none"));
    jobs("since, until: one hour", all.withSince(deep).withUntil(deep.plusSeconds(3_600)));
    jobs("error=host-77", all.withError("HOST-77"));
    jobs("error=none", all.withError("no such text"));
    jobs("error=host-77, state=dead", all.withError("HOST-77").withStates(JobState.DEAD));
    jobs("payload=$.size > 4900", all.withPayload("$.size > 4900"));
    jobs("payload=$.none", all.withPayload("$.none"));
    jobs("state=dead, payload=$.none", all.withPayload("$.none").withStates(JobState.DEAD));
    timed("whole jobs", "first", cursor -> millpond.wholeJobs(all, null, LIMIT), null);
    DeadLetterFilter letters = DeadLetterFilter.ALL;
    deadLetters("all", letters);
    deadLetters("queue=rare", letters.withQueue("rare"));
    deadLetters("tag=import", letters.withTag("import"));
    deadLetters("error=none", letters.withError("no such text"));
    timed("count of dead letters", "all", c -> count(letters), null);
    timed("count of dead letters", "tag=import", c -> count(letters.withTag("import")), null);
    timed("count of dead letters", "error", c -> count(letters.withError("HOST-77")), null);
    timed("queues", "all", c -> new Page<>(millpond.queues(), null, false), null);
  }

  private Page<Long> count(DeadLetterFilter filter) {
    return new Page<>(java.util.List.of(millpond.countDeadLetters(filter).count()), null, false);
  }

  private void jobs(String name, JobFilter filter) {
    Function<@Nullable String, Page<?>> list = cursor -> millpond.jobs(filter, cursor, LIMIT);
    timed("jobs " + name, "first", list, null);
    var there = millpond.jobs(JobFilter.ALL.withUntil(Instant.now().minus(DEEP)), null, 1);
    timed("jobs " + name, "deep", list, Cursors.of(there.items().getFirst().id()));
  }

  private void deadLetters(String name, DeadLetterFilter filter) {
    Function<@Nullable String, Page<?>> list =
        cursor -> millpond.deadLetters(filter, cursor, LIMIT);
    timed("dead letters " + name, "first", list, null);
    var there =
        millpond.deadLetters(DeadLetterFilter.ALL.withUntil(Instant.now().minus(DEEP)), null, 1);
    var last = there.items().getFirst();
    timed(
        "dead letters " + name,
        "deep",
        list,
        Cursors.of(new Cursors.DeadLetterPosition(last.deadAt(), last.jobId())));
  }

  private void timed(
      String name, String page, Function<@Nullable String, Page<?>> list, @Nullable String cursor) {
    double[] millis = new double[REPEATS];
    Page<?> last = new Page<>(java.util.List.of(), null, false);
    for (int i = 0; i < REPEATS; i++) {
      long began = System.nanoTime();
      last = list.apply(cursor);
      millis[i] = (System.nanoTime() - began) / 1e6;
    }
    double first = millis[0];
    Arrays.sort(millis);
    out.printf(
        Locale.ROOT,
        "| %s | %s | %.1f | %.1f | %d | %s |%n",
        name,
        page,
        first,
        millis[REPEATS / 2],
        last.items().size(),
        last.partial() ? "yes" : "");
  }
}
