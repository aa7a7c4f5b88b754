package dev.millpond.bench.http;

import dev.millpond.bench.scenario.Ended;
import dev.millpond.bench.scenario.Stage;
import dev.millpond.bench.servers.Database;
import dev.millpond.bench.servers.Meter;
import dev.millpond.bench.servers.Role;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.books.BooksReport;
import dev.millpond.server.cli.MillpondCommand;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * One {@code millpond server} on empty tables, for one measurement: a process of its own, of the
 * role api. {@link #finish} ends it and checks that what was acknowledged is what PostgreSQL holds.
 */
final class HttpBed implements AutoCloseable {
  private final Stage stage;
  private final List<String> problems;
  private final Path directory;
  private final Meter meter;
  private final JavaProcess server;
  private final long commitsBefore;
  private final long deadTuplesBefore;

  private HttpBed(Stage stage, Path directory, List<String> problems)
      throws SQLException, IOException, InterruptedException {
    this.problems = problems;
    this.stage = stage;
    this.directory = directory;
    Database database = stage.database();
    this.commitsBefore = database.commits();
    this.deadTuplesBefore = database.deadTuples();
    this.meter = stage.meter();
    Path runFile = directory.resolve("run.json");
    String[] arguments = {
      "server",
      "--role=api",
      "--http-port=0",
      "--pg-url",
      database.url(),
      "--run-file",
      runFile.toString()
    };
    this.server = JavaProcess.start(MillpondCommand.class, arguments, directory, runFile);
    meter.watch(Role.SERVER, server.pid());
  }

  /** Starts one. */
  static HttpBed open(Stage stage) throws SQLException, IOException, InterruptedException {
    List<String> problems = new ArrayList<>();
    stage.database().awaitAlone(problems);
    stage.database().empty();
    Path directory = Files.createTempDirectory("millpond-bench-http-");
    try {
      return new HttpBed(stage, directory, problems);
    } catch (IOException | RuntimeException e) {
      Temporary.delete(directory);
      throw e;
    }
  }

  URI url() {
    return server.url();
  }

  Meter meter() {
    return meter;
  }

  /** Ends the server, checks the books and compares with the tables. */
  Ended finish(long acknowledged) throws SQLException {
    Database database = stage.database();
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
    expect(problems, "outcomes", 0, counts.succeeded());
    expect(problems, "jobs without an outcome", acknowledged, counts.open());
    expect(problems, "jobs in dispatch rows", acknowledged, counts.held());
    expect(problems, "state rows", 0, counts.state());
    expect(problems, "dead letters", 0, counts.dead());
    return new Ended(acknowledged, commits, deadTuples, problems);
  }

  private static void expect(List<String> problems, String what, long expected, long found) {
    if (expected != found) {
      problems.add(what + ": expected " + expected + ", found " + found);
    }
  }

  @Override
  public void close() {
    server.close();
    Temporary.delete(directory);
  }
}
