package dev.millpond.engine.lifecycle.store;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millpond.api.JobOptions;
import dev.millpond.api.JobRequest;
import dev.millpond.api.JobState;
import dev.millpond.api.JobView;
import dev.millpond.api.SubmitResult;
import dev.millpond.embedded.TestServers;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.SchemaException;
import dev.millpond.engine.flow.Pause.Scope;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.flywaydb.core.api.MigrationInfo;
import org.flywaydb.core.api.MigrationVersion;
import org.junit.jupiter.api.Test;

/** A database of the version before, and one of the version after. */
class UpgradeIT {
  /** All migrations from here on find tables that somebody uses. */
  private static final String LONG_AGO = "11";

  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private static final String LEFT = "left-by-the-version-before.sql";

  private final Map<Integer, AtomicInteger> runs = new ConcurrentHashMap<>();
  private final AtomicInteger limitedNow = new AtomicInteger();
  private final AtomicInteger limitedMost = new AtomicInteger();

  @Test
  void jobsOfTheVersionBeforeAreIntactInEveryStateAndEndOnce() throws IOException {
    String url = TestServers.get().freshDatabase();
    migrateTo(url, versions(url).reversed().get(1));
    fill(url);
    Map<String, String> columns = columns(url);
    Map<String, String> before = contents(url, columns);
    assertThatExceptionOfType(SchemaException.class)
        .isThrownBy(() -> Millpond.connect(url))
        .withMessageContainingAll("this version of Millpond needs", "missing: 1", "migrate");

    assertThat(Millpond.migrate(url)).isEqualTo(1);
    assertThat(Millpond.migrate(url)).isZero();

    assertThat(contents(url, columns)).as("what was there is as it was").isEqualTo(before);
    try (Database database = Database.on(url);
        Fleet fleet = Fleet.joining(database, Fleet.Mode.STREAMS)) {
      Map<Integer, UUID> jobs = jobs(database);
      Millpond node = fleet.maintainer();
      fleet.worker(this::register);
      untilEnded(database, 25); // two are dead, three are paused, one is for tomorrow
      seesWhatWasLeft(node, jobs);
      takesUpWhatWasLeft(node, jobs);
      untilEnded(database, 31);
      for (int n = 1; n <= 31; n++) {
        boolean had = List.of(14, 17, 18, 19, 28).contains(n); // ended, or is to be cancelled
        assertThat(runs.getOrDefault(n, new AtomicInteger()).get())
            .as("runs of job %d", n)
            .isEqualTo(had ? 0 : 1);
      }
      assertThat(limitedMost).as("jobs of a limit of one at a time").hasValue(1);
      fleet.end();
    }
  }

  /** Of all that was lost with the old worker one job runs after the other, alone. */
  private static void untilEnded(Database database, int jobs) {
    await(jobs + " ends").atMost(PATIENCE).until(() -> database.outcomes() >= jobs);
  }

  private static void seesWhatWasLeft(Millpond node, Map<Integer, UUID> jobs) {
    assertThat(view(node, jobs, 11).attempt()).as("a retry keeps its attempt").isEqualTo(2);
    assertThat(view(node, jobs, 13).attempt()).as("a rescue burns none").isEqualTo(2);
    assertThat(view(node, jobs, 14).state()).isEqualTo(JobState.CANCELLED);
    assertThat(view(node, jobs, 15).state()).isEqualTo(JobState.DEAD);
    assertThat(view(node, jobs, 15).attempts()).hasSize(2);
    assertThat(view(node, jobs, 17).result()).isEqualTo("\"by the version before\"");
    assertThat(view(node, jobs, 18).state()).isEqualTo(JobState.CANCELLED);
    assertThat(view(node, jobs, 19).result()).isEqualTo("\"for an hour\"");
    assertThat(view(node, jobs, 20).waitReason()).isEqualTo("pause");
    assertThat(view(node, jobs, 21).state()).isEqualTo(JobState.RUNNABLE);
    assertThat(view(node, jobs, 31).state()).isEqualTo(JobState.SCHEDULED);
    assertThat(node.log(requireNonNull(jobs.get(13)), null, 10).orElseThrow().items()).hasSize(1);
  }

  private static void takesUpWhatWasLeft(Millpond node, Map<Integer, UUID> jobs) {
    assertThat(node.submit(keyed("open", 27))).isEqualTo(existing(jobs, 27));
    assertThat(node.submit(keyed("ended", 28))).isEqualTo(existing(jobs, 28));
    assertThat(node.flow().resume(Scope.QUEUE, "held")).isTrue();
    assertThat(node.flow().resume(Scope.TAG, "later")).isTrue();
    node.redrive(requireNonNull(jobs.get(15)));
    node.redrive(requireNonNull(jobs.get(16)));
    node.runNow(requireNonNull(jobs.get(31)));
  }

  /** A transaction that stays open is in the way: it must not hold up all others as well. */
  @Test
  void aMigrationThatWaitsForALockLetsTheOthersPastAndSaysWhoIsInItsWay() throws SQLException {
    String url = TestServers.get().freshDatabase();
    migrateTo(url, LONG_AGO);
    try (Connection open = connect(url, "ApplicationName", "somebody");
        Connection fleet = connect(url, "options", "-c statement_timeout=25000");
        Connection looks = DriverManager.getConnection(url)) {
      open.setAutoCommit(false);
      execute(open, "LOCK TABLE millpond.job_state IN ROW SHARE MODE");
      assertThatThrownBy(() -> Schema.migrate(url, Duration.ZERO))
          .isInstanceOf(SchemaException.class)
          .hasMessageContainingAll("a lock is held by pid ", "somebody", "End that");

      CompletableFuture<Integer> migrated =
          CompletableFuture.supplyAsync(() -> Schema.migrate(url, Fleet.PATIENCE));
      Fleet.until("the migration waits", () -> waits(looks, "millpond-migrate"));
      execute(fleet, "UPDATE millpond.job_state SET attempt = attempt"); // waits for its turn
      assertThat(migrated).isNotDone();
      open.commit();
      assertThat(migrated.join()).isEqualTo(versions(url).size() - versionsUpTo(url, LONG_AGO));
    }
    Millpond.connect(url).close();
  }

  @Test
  void aSchemaOfALaterVersionIsRefusedAndLeftAlone() throws SQLException {
    String url = TestServers.get().freshDatabase(Millpond::migrate);
    try (Connection connection = DriverManager.getConnection(url)) {
      execute(
          connection,
          """
          INSERT INTO millpond.flyway_schema_history
                 (installed_rank, version, description, type, script, checksum, installed_by,
                  execution_time, success)
          SELECT max(installed_rank) + 1, '999', 'of later', 'SQL', 'V999__of_later.sql', 1, 'later',
                 1, true
          FROM millpond.flyway_schema_history
          """);
    }
    for (Runnable start :
        List.<Runnable>of(() -> Millpond.connect(url), () -> Millpond.migrate(url))) {
      assertThatThrownBy(start::run)
          .isInstanceOf(SchemaException.class)
          .hasMessageContainingAll("has schema 999, newer than", "Use the version that");
    }
  }

  private void register(Millpond millpond) {
    millpond.registerHandler(
        "plain",
        Integer.class,
        (context, number) -> {
          ran(number);
          return number;
        });
    millpond.registerHandler(
        "limited",
        Integer.class,
        (context, number) -> {
          limitedMost.accumulateAndGet(limitedNow.incrementAndGet(), Math::max);
          ran(number);
          limitedNow.decrementAndGet();
          return number;
        });
  }

  private void ran(int number) {
    runs.computeIfAbsent(number, n -> new AtomicInteger()).incrementAndGet();
  }

  private static JobView view(Millpond node, Map<Integer, UUID> jobs, int number) {
    return node.find(requireNonNull(jobs.get(number))).orElseThrow();
  }

  private static SubmitResult existing(Map<Integer, UUID> jobs, int number) {
    return new SubmitResult.Existing(requireNonNull(jobs.get(number)));
  }

  private static JobRequest keyed(String key, int number) {
    return JobRequest.of("plain", number).withOptions(JobOptions.DEFAULT.withIdempotencyKey(key));
  }

  /** Jobs by their payloads. */
  private static Map<Integer, UUID> jobs(Database database) {
    Map<Integer, UUID> jobs = new TreeMap<>();
    for (String row : database.strings("SELECT payload || ' ' || id FROM millpond.job")) {
      String[] words = row.split(" ", -1);
      jobs.put(Integer.valueOf(words[0]), UUID.fromString(words[1]));
    }
    return jobs;
  }

  /** The columns of each table, as the version before knows them. */
  private static Map<String, String> columns(String url) {
    Map<String, String> columns = new TreeMap<>();
    rows(
        url,
        """
        SELECT c.relname, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relnamespace = 'millpond'::regnamespace AND c.relkind IN ('r', 'p')
          AND NOT c.relispartition AND c.relname NOT LIKE 'flyway%'
        GROUP BY c.relname
        """,
        columns);
    assertThat(columns).containsKeys("job", "job_state", "dispatch", "dead_letter");
    return columns;
  }

  /** All that is in these columns. */
  private static Map<String, String> contents(String url, Map<String, String> columns) {
    Map<String, String> contents = new TreeMap<>();
    columns.forEach((table, names) ->
        rows(
            url,
            "SELECT '%s', coalesce(string_agg(r::text, chr(10) ORDER BY r::text), '') FROM (SELECT %s FROM millpond.%s) AS r"
                .formatted(table, names, table),
            contents));
    return contents;
  }

  private static void rows(String url, String sql, Map<String, String> into) {
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement();
        var rows = statement.executeQuery(sql)) {
      while (rows.next()) {
        into.put(rows.getString(1), rows.getString(2));
      }
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void fill(String url) throws IOException {
    try (InputStream in = requireNonNull(UpgradeIT.class.getResourceAsStream(LEFT));
        Connection connection = DriverManager.getConnection(url)) {
      connection.setAutoCommit(false);
      execute(connection, new String(in.readAllBytes(), StandardCharsets.UTF_8));
      connection.commit();
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private static boolean waits(Connection looks, String name) throws SQLException {
    try (var statement =
        looks.prepareStatement(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                + " AND application_name = ? AND wait_event_type = 'Lock'")) {
      statement.setString(1, name);
      try (var row = statement.executeQuery()) {
        return row.next() && row.getInt(1) > 0;
      }
    }
  }

  private static Connection connect(String url, String property, String value) throws SQLException {
    Properties properties = new Properties();
    properties.setProperty(property, value);
    return DriverManager.getConnection(url, properties);
  }

  private static void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private static void migrateTo(String url, String version) {
    Schema.flyway(url).target(version).load().migrate();
  }

  /** All that this version knows, the oldest first. */
  private static List<String> versions(String url) {
    return Stream.of(Schema.flyway(url).load().info().all())
        .map(MigrationInfo::getVersion)
        .filter(Objects::nonNull)
        .map(MigrationVersion::getVersion)
        .toList();
  }

  private static int versionsUpTo(String url, String version) {
    return versions(url).indexOf(version) + 1;
  }
}
