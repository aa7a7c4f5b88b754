package dev.millpond.engine.books;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.FatalJobException;
import dev.millpond.api.JobRequest;
import dev.millpond.api.JobState;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.books.BooksReport.Finding;
import dev.millpond.engine.dispatch.Lanes;
import dev.millpond.engine.dispatch.PriorityClasses;
import dev.millpond.engine.dispatch.streams.RedisServer;
import dev.millpond.engine.dispatch.streams.StreamsKeeper;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.lifecycle.store.Transactions;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;

/** Every kind of damage that the books are to find is planted, found, and named. */
class BooksIT {
  private static final String STREAM = "millpond:{s0}:default:normal";

  private static Database database;
  private Fleet fleet;
  private Millpond producer;
  private Transactions transactions;
  private StreamsKeeper keeper;
  private Books books;

  @BeforeAll
  static void open() {
    database = Database.fresh();
  }

  @AfterAll
  static void shut() {
    database.close();
  }

  @BeforeEach
  void start() {
    fleet = Fleet.on(database, Mode.STREAMS);
    producer = fleet.patientProducer();
    transactions = new Transactions(Pg.pool(database.url(), "books", 1));
    keeper = new StreamsKeeper(new RedisServer(0, redisUrl()));
    books =
        new Books(
            transactions,
            List.of(keeper),
            new Lanes(PriorityClasses.DEFAULT),
            Duration.ofMillis(20));
  }

  @AfterEach
  void stop() {
    keeper.close();
    transactions.close();
    fleet.close();
  }

  private String redisUrl() {
    return fleet.config().redisUrls().getFirst();
  }

  /** Jobs on their way, each alone in its batch. */
  private List<UUID> submit(int jobs) {
    List<UUID> ids = List.of();
    for (int i = 0; i < jobs; i++) {
      ids =
          java.util.stream.Stream.concat(
                  ids.stream(), Fleet.submit(producer, JobRequest.of("noop", ""), 1).stream())
              .toList();
    }
    Fleet.until(
        "the entries",
        () ->
            keeper.entries(new dev.millpond.engine.dispatch.Lane("default", "normal")).size()
                == jobs);
    assertThat(books.check().findings()).as("before the damage").isEmpty();
    return ids;
  }

  private Set<String> rules() {
    return books.check().findings().stream().map(Finding::rule).collect(Collectors.toSet());
  }

  private void assertFound(String rule, UUID subject) {
    assertThat(books.check().findings())
        .anySatisfy(finding -> {
          assertThat(finding.rule()).isEqualTo(rule);
          assertThat(finding.subject()).isEqualTo(subject.toString());
        });
  }

  private UUID batchOf(UUID job) {
    return database
        .ids("SELECT id FROM millpond.dispatch WHERE job_ids @> ARRAY[?::uuid]", job)
        .getFirst();
  }

  private void state(UUID job, String phase, int token) {
    database.update(
        """
        INSERT INTO millpond.job_state (job_id, queue, class, kind, phase, lease_token, attempt, run_at)
        VALUES (?, 'default', 'normal', 'noop', ?, ?, 1,
                CASE WHEN ? = 'scheduled' THEN now() + interval '1 hour' END)
        """,
        job,
        phase,
        token,
        phase);
  }

  @Test
  void cleanBooksCountWhatThereIs() {
    List<UUID> ids = submit(3);
    producer.cancel(ids.getFirst());
    BooksReport report = books.check(Set.copyOf(ids));
    assertThat(report.clean()).isTrue();
    assertThat(report.jobs()).isEqualTo(3);
    assertThat(report.outcomes()).isEqualTo(1);
    assertThat(report.live()).isEqualTo(2);
  }

  @Test
  void aJobWithoutHolderIsLost() {
    UUID id = submit(2).getFirst();
    database.update("DELETE FROM millpond.dispatch WHERE id = ?", batchOf(id));
    assertFound("lost", id);
    assertThat(rules()).containsExactlyInAnyOrder("lost", "depth", "bytes", "orphan-entry");
  }

  @Test
  void aRunnableStateWithoutItsRowIsLost() {
    UUID id = submit(1).getFirst();
    state(id, "runnable", 2);
    assertFound("lost", id);
  }

  @Test
  void aJobThatTwoRowsNameHasTwoHolders() {
    UUID id = submit(1).getFirst();
    database.update(
        "INSERT INTO millpond.dispatch (id, queue, class, kind, shard, job_ids) SELECT"
            + " gen_random_uuid(), queue, class, kind, shard, job_ids FROM millpond.dispatch");
    assertFound("two-holders", id);
  }

  @Test
  void aScheduledJobOnItsWayIsHeldAndOff() {
    UUID id = submit(1).getFirst();
    state(id, "scheduled", 1);
    assertFound("held-and-off", id);
  }

  @Test
  void aTokenBeyondTheJobsOwnIsFound() {
    UUID id = submit(1).getFirst();
    database.update("UPDATE millpond.dispatch SET tokens = '{5}'");
    assertFound("token-ahead", id);
    assertFound("lost", id);
  }

  @Test
  void aRowThatNamesAnUnknownJobIsFound() {
    UUID id = submit(1).getFirst();
    database.update("DELETE FROM millpond.job");
    assertFound("unknown-job", id);
  }

  @Test
  void aJobInAnotherLaneThanItsOwnIsFound() {
    UUID id = submit(1).getFirst();
    database.update("UPDATE millpond.job SET class = 'high'");
    assertFound("wrong-lane", id);
  }

  @Test
  void aJobInAnotherClassThanItsStateSaysIsFound() {
    UUID id = submit(1).getFirst();
    state(id, "runnable", 1);
    assertThat(books.check().findings()).isEmpty();
    database.update("UPDATE millpond.job_state SET class = 'high'");
    assertFound("wrong-lane", id);
  }

  @Test
  void anExpiryOfNoJobIsFound() {
    UUID nobody = UUID.randomUUID();
    database.update("INSERT INTO millpond.job_expiry VALUES (?, now(), now())", nobody);
    assertFound("expiry-without-job", nobody);
  }

  @Test
  void aResultOfAJobThatHasNotSucceededIsFound() {
    UUID id = submit(1).getFirst();
    database.update("INSERT INTO millpond.job_result VALUES (?, '1', now())", id);
    assertFound("result-before-end", id);
    producer.cancel(id);
    assertFound("result-before-end", id);
  }

  @Test
  void anOutcomeOrStateWithoutJobIsFound() {
    UUID nobody = UUID.randomUUID();
    database.update(
        "INSERT INTO millpond.job_outcome (job_id, outcome, attempt, lease_token)"
            + " VALUES (?, 'succeeded', 1, 1)",
        nobody);
    assertFound("outcome-without-job", nobody);
    UUID other = UUID.randomUUID();
    state(other, "scheduled", 1);
    assertFound("state-without-job", other);
  }

  @Test
  void anEndedJobThatRunsIsFound() {
    UUID id = submit(1).getFirst();
    producer.cancel(id);
    database.update(
        """
        INSERT INTO millpond.job_state (job_id, queue, class, kind, phase, lease_token, attempt,
                                        session, started_at, seen_at, deadline)
        VALUES (?, 'default', 'normal', 'noop', 'running', 1, 1, gen_random_uuid(), now(), now(), now())
        """,
        id);
    assertFound("ended-and-running", id);
  }

  @Test
  void deathAndLetterBelongTogether() {
    fleet.worker(m ->
        m.registerHandler(
            "noop",
            String.class,
            (c, p) -> {
              throw new FatalJobException("no");
            }));
    UUID dead = Fleet.submit(producer, JobRequest.of("noop", ""), 1).getFirst();
    UUID other = Fleet.submit(producer, JobRequest.of("noop", ""), 1).getFirst();
    fleet.untilState(dead, JobState.DEAD);
    fleet.untilState(other, JobState.DEAD);
    database.update("DELETE FROM millpond.dead_letter WHERE job_id = ?", dead);
    assertFound("dead-without-letter", dead);
    database.update("DELETE FROM millpond.job_state WHERE job_id = ?", other);
    assertFound("letter-without-dead", other);
    assertFound("attempt-ahead-or-lost", other, Set.of("attempt-ahead", "lost"));
  }

  private void assertFound(String what, UUID subject, Set<String> rules) {
    assertThat(
            books.check().findings().stream()
                .filter(f -> f.subject().equals(subject.toString()))
                .map(Finding::rule))
        .as(what)
        .anyMatch(rules::contains);
  }

  @Test
  void anAttemptUnderATokenToComeIsFound() {
    UUID id = submit(1).getFirst();
    database.update(
        "INSERT INTO millpond.job_attempt (job_id, lease_token, attempt, ended)"
            + " VALUES (?, 3, 1, 'failed')",
        id);
    assertFound("attempt-ahead", id);
  }

  @Test
  void aDepthThatIsOffIsFound() {
    submit(1);
    database.update("INSERT INTO millpond.queue_depth VALUES ('default', 'normal', 1)");
    assertThat(books.check().findings())
        .containsExactly(new Finding("depth", "default/normal", "counted 2, are 1"));
  }

  @Test
  void bytesThatAreOffAreFound() {
    submit(1);
    database.update("UPDATE millpond.queue_depth SET bytes = bytes + 1");
    assertThat(books.check().findings()).extracting(Finding::rule).containsExactly("bytes");
  }

  @Test
  void entriesAndRowsThatMissEachOtherAreFound() {
    UUID orphan = batchOf(submit(1).getFirst());
    database.update("TRUNCATE millpond.dispatch, millpond.job, millpond.queue_depth");
    assertFound("orphan-entry", orphan);

    try (Jedis jedis = new Jedis(redisUrl())) {
      jedis.flushAll();
    }
    UUID vanished = batchOf(submit(1).getFirst());
    try (Jedis jedis = new Jedis(redisUrl())) {
      jedis.del(STREAM);
    }
    assertFound("vanished-entry", vanished);
  }

  @Test
  void anAcknowledgedJobThatNobodyKnowsIsFound() {
    UUID known = submit(1).getFirst();
    UUID unknown = UUID.randomUUID();
    assertThat(books.check(Set.of(known, unknown)).findings())
        .containsExactly(
            new Finding("acknowledged-and-lost", unknown.toString(), "was accepted, has no row"));
  }

  @Test
  void whatIsRepairedBetweenTheLooksIsNoFinding() {
    UUID id = submit(1).getFirst();
    Books patient =
        new Books(
            transactions,
            List.of(keeper),
            new Lanes(PriorityClasses.DEFAULT),
            Duration.ofSeconds(2));
    database.update("INSERT INTO millpond.queue_depth VALUES ('default', 'normal', 1)");
    var repair =
        java.util.concurrent.CompletableFuture.runAsync(
            () ->
                database.update(
                    "INSERT INTO millpond.queue_depth VALUES ('default', 'normal', -1)"),
            java.util.concurrent.CompletableFuture.delayedExecutor(
                500, java.util.concurrent.TimeUnit.MILLISECONDS));
    assertThat(patient.check().clean()).isTrue();
    assertThat(repair).isCompleted();
    assertThat(producer.find(id)).isPresent();
  }
}
