package dev.millpond.bench.http;

import dev.millpond.bench.scenario.Ended;
import dev.millpond.bench.scenario.Mode;
import dev.millpond.bench.scenario.Stage;
import dev.millpond.bench.servers.Database;
import dev.millpond.bench.servers.Meter;
import dev.millpond.bench.servers.Pause;
import dev.millpond.bench.servers.Role;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.access.KeyRequest;
import dev.millpond.engine.access.Scope;
import dev.millpond.engine.books.BooksReport;
import dev.millpond.server.cli.MillpondCommand;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One {@code millpond server} on empty tables, for one measurement: a process of its own, with the
 * role api alone or with all roles. {@link #finish} ends it and checks that what was acknowledged
 * is what PostgreSQL holds.
 */
final class HttpBed implements AutoCloseable {
  private static final long LOOK_MICROS = 20_000;

  private static final Duration KEY_LIVES = Duration.ofHours(1);

  private final Stage stage;
  private final boolean works;
  private final String headers;
  private final List<String> problems;
  private final Path directory;
  private final Meter meter;
  private final JavaProcess server;
  private final long commitsBefore;
  private final long deadTuplesBefore;

  private HttpBed(
      Stage stage, boolean works, @Nullable String key, Path directory, List<String> problems)
      throws SQLException, IOException, InterruptedException {
    this.headers = key == null ? "" : "Authorization: Bearer " + key + "\r\n";
    this.problems = problems;
    this.stage = stage;
    this.works = works;
    this.directory = directory;
    Database database = stage.database();
    this.commitsBefore = database.commits();
    this.deadTuplesBefore = database.deadTuples();
    this.meter = stage.meter();
    Path runFile = directory.resolve("run.json");
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "server",
                works ? "--role=all" : "--role=api",
                "--http-port=0",
                "--queue-high-watermark=none",
                "--pg-url",
                database.url(),
                "--run-file",
                runFile.toString()));
    if (key != null) {
      arguments.add("--auth-mode=keys");
    }
    if (works) {
      arguments.addAll(List.of("--handlers", NoopModule.jar(directory).toString()));
      if (stage.mode() == Mode.STREAMS) {
        arguments.addAll(List.of("--redis-urls", String.join(",", stage.emptyRedis(1))));
      }
    }
    this.server =
        JavaProcess.start(
            MillpondCommand.class, arguments.toArray(String[]::new), directory, runFile);
    meter.watch(Role.SERVER, server.pid());
  }

  /** Starts one with the role api. */
  static HttpBed submits(Stage stage) throws SQLException, IOException, InterruptedException {
    return open(stage, false, false);
  }

  /** Starts one with the role api, which wants an API key of each request. */
  static HttpBed submitsByKey(Stage stage) throws SQLException, IOException, InterruptedException {
    return open(stage, false, true);
  }

  /** Starts one with all roles, whose worker has a handler that does nothing. */
  static HttpBed works(Stage stage) throws SQLException, IOException, InterruptedException {
    return open(stage, true, false);
  }

  private static HttpBed open(Stage stage, boolean works, boolean byKey)
      throws SQLException, IOException, InterruptedException {
    List<String> problems = new ArrayList<>();
    stage.database().awaitAlone(problems);
    stage.database().empty();
    Path directory = Files.createTempDirectory("millpond-bench-http-");
    try {
      return new HttpBed(stage, works, byKey ? key(stage) : null, directory, problems);
    } catch (IOException | SQLException | InterruptedException | RuntimeException e) {
      Temporary.delete(directory);
      throw e;
    }
  }

  /** Makes an API key that may submit, and says its text. */
  private static String key(Stage stage) {
    try (Millpond millpond = Millpond.connect(MillpondConfig.of(stage.database().url()))) {
      KeyRequest request = new KeyRequest("bench", Set.of(Scope.SUBMIT), Set.of(), KEY_LIVES);
      return millpond.keys().create(request).text().reveal();
    }
  }

  /** That each request needs beside the usual ones. */
  String headers() {
    return headers;
  }

  URI url() {
    return server.url();
  }

  Meter meter() {
    return meter;
  }

  /** Jobs whose outcome the server has committed, by its own count. */
  long completed() {
    return MetricsPage.sum(url(), "millpond_jobs_completed_total");
  }

  /**
   * Waits for the work to end where there is a worker, ends the server, checks the books and
   * compares with the tables.
   */
  Ended finish(long acknowledged) throws SQLException {
    Database database = stage.database();
    if (works) {
      Pause.whileItGrows(this::completed, () -> acknowledged, LOOK_MICROS);
    }
    close();
    try (Millpond millpond = Millpond.connect(MillpondConfig.of(database.url()))) {
      BooksReport books = millpond.checkBooks();
      books.findings().stream().limit(5).forEach(finding -> problems.add("books: " + finding));
    }
    database.awaitAlone(problems);
    long commits = database.commits() - commitsBefore;
    long deadTuples = database.deadTuples() - deadTuplesBefore;
    Submits.check(database.url(), acknowledged, problems);
    Database.Counts counts = database.counts();
    long held = works ? 0 : acknowledged;
    Ended.expect(problems, "outcomes", acknowledged - held, counts.succeeded());
    Ended.expect(problems, "jobs without an outcome", held, counts.open());
    Ended.expect(problems, "jobs in dispatch rows", held, counts.held());
    Ended.expect(problems, "state rows", 0, counts.state());
    Ended.expect(problems, "dead letters", 0, counts.dead());
    return new Ended(acknowledged, commits, deadTuples, problems);
  }

  @Override
  public void close() {
    server.close();
    Temporary.delete(directory);
  }
}
