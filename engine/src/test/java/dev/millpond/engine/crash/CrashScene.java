package dev.millpond.engine.crash;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobOptions;
import dev.millpond.api.JobRequest;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.Timing;
import dev.millpond.engine.WebhookConfig;
import dev.millpond.faults.Ending;
import dev.millpond.faults.Fault;
import dev.millpond.faults.FaultProxy;
import dev.millpond.faults.Link;
import dev.millpond.faults.Moment;
import dev.millpond.faults.Step;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.StreamEntryID;
import redis.clients.jedis.params.XReadGroupParams;

/**
 * A database and a queue of their own, a {@link Subject} behind proxies, and a healthy fleet in
 * this process that goes to work with {@link #heal()}. A producer submits and looks all the time.
 */
final class CrashScene implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(40);
  private static final String FLEET = "fleet";
  private static final Task SUCCEED = new Task(Task.What.SUCCEED);

  /**
   * Fast, but with a settle time that a child JVM keeps although it has just started, on a machine
   * that is busy.
   */
  static final Timing TIMING =
      new Timing(
          Duration.ofSeconds(3),
          Duration.ofMillis(500),
          Duration.ofSeconds(1),
          Duration.ofMillis(250));

  /** Of the producer: puts its batches on their streams however long the commit takes. */
  private static final Timing PATIENT =
      new Timing(
          Duration.ofMinutes(1),
          Duration.ofSeconds(5),
          Duration.ofMinutes(1),
          Duration.ofSeconds(1));

  /** Left by scenes that are over, and emptied. */
  private static final Queue<Database> databases = new ConcurrentLinkedQueue<>();

  private static final AtomicInteger scenes = new AtomicInteger();
  private static boolean rehearsed;

  /** How work gets to the workers. */
  enum Mode {
    STREAMS,
    POSTGRES
  }

  private final Database database;
  private final String queue = "q" + scenes.incrementAndGet();
  private final FaultProxy postgres;
  private final @Nullable FaultProxy redis;
  private final Path folder;
  private final Journal acknowledged;
  private final Set<UUID> acknowledgedHere = new HashSet<>();
  private final Journal ledger;
  private final Subject subject;
  private final MillpondConfig config;
  private final Millpond producer;
  private @Nullable Millpond fleet;

  private CrashScene(Mode mode, WebhookConfig webhooks) throws IOException {
    Database idle = databases.poll();
    this.database = idle == null ? Database.fresh() : idle;
    if (idle == null) {
      database.update(Task.EFFECT_TABLE);
    }
    String redisUrl = CrashRedis.enter();
    boolean streams = mode == Mode.STREAMS;
    this.postgres = FaultProxy.postgres(database.url());
    this.redis = streams ? FaultProxy.redis(redisUrl) : null;
    this.folder = Files.createTempDirectory("millpond-crash");
    this.acknowledged = new Journal(folder.resolve(Subject.ACKNOWLEDGED), true);
    this.ledger = new Journal(folder.resolve(Subject.LEDGER), false);
    this.subject =
        Subject.start(
            folder, postgres.url(), redis == null ? SubjectMain.NO_REDIS : redis.url(), queue);
    MillpondConfig alone =
        MillpondConfig.of(database.url()).withTiming(TIMING).withWebhooks(webhooks);
    this.config = streams ? alone.withRedis(List.of(redisUrl)) : alone;
    this.producer = Millpond.connect(config.withTiming(PATIENT));
    subject.awaitReady();
  }

  /** Lets a first subject come and go, so that all others start from an archive of its classes. */
  private static synchronized void rehearse() throws IOException {
    if (!rehearsed) {
      rehearsed = true;
      try (CrashScene scene = new CrashScene(Mode.STREAMS, WebhookConfig.NONE)) {
        scene.submit(Task.What.FAIL_ONCE, 1);
        scene.subject.tell("submit 1");
        scene.subject.tell("maintain");
        scene.subject.tell("work");
        scene.awaitOutcomes(2);
        scene.subject.end();
      }
    }
  }

  static CrashScene open(Mode mode) {
    return open(mode, WebhookConfig.NONE);
  }

  /**
   * Opens a scene.
   *
   * @param webhooks of the producer and the fleet; the subject knows of none
   */
  static CrashScene open(Mode mode, WebhookConfig webhooks) {
    try {
      rehearse();
      return new CrashScene(mode, webhooks);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Subject subject() {
    return subject;
  }

  /** Submits and looks, also before the fleet works. */
  Millpond producer() {
    return producer;
  }

  /** What the tests of other processes' rows write directly. */
  Database database() {
    return database;
  }

  String queue() {
    return queue;
  }

  /** Kills the subject at its first request of this step from now on. */
  Fault killAt(Step step, Moment moment) {
    return at(step, moment, this::kill);
  }

  /**
   * Kills the subject there, once something has come about that does not depend on what is held
   * back.
   */
  Fault killAt(Step step, Moment moment, BooleanSupplier reached) {
    return at(
        step,
        moment,
        link -> {
          await(reached);
          return kill(link);
        });
  }

  /** Cuts the connection there; the subject lives on, and the server does not notice. */
  Fault cutAt(Step step, Moment moment) {
    return at(step, moment, CrashScene::cut);
  }

  /** Holds the request back until something has come about, then cuts its connection. */
  Fault cutAt(Step step, Moment moment, BooleanSupplier reached) {
    return at(
        step,
        moment,
        link -> {
          await(reached);
          return cut(link);
        });
  }

  /** Holds the request back until something has come about, then lets it go on. */
  Fault holdAt(Step step, Moment moment, BooleanSupplier reached) {
    return at(
        step,
        moment,
        link -> {
          await(reached);
          return true;
        });
  }

  private Fault at(Step step, Moment moment, Fault.Action action) {
    return proxy(step).add(new Fault(step, 1, moment, action));
  }

  /** Counts the answers to the subject's requests of this step from now on. */
  Fault countOf(Step step) {
    return proxy(step).add(Fault.none(step));
  }

  /** Counts flushes of the subject of which the marker says that they had been committed. */
  Fault countOfMarkersFound() {
    return postgres.add(Fault.none(e -> e.answer().contains("flush_marker_pkey")));
  }

  private FaultProxy proxy(Step step) {
    return step.inRedis() ? requireNonNull(redis, "this scene has no Redis") : postgres;
  }

  private boolean kill(Link link) {
    subject.kill();
    link.end(Ending.CLOSED);
    return false;
  }

  private static boolean cut(Link link) {
    link.end(Ending.UNNOTICED);
    return false;
  }

  /** Waits until it has come about. */
  static void await(BooleanSupplier reached) {
    Awaitility.await().atMost(PATIENCE).until(reached::getAsBoolean);
  }

  /** Submits in one call. */
  List<UUID> submit(Task.What what, int jobs) {
    return submit(producer, new Task(what).request(queue), jobs);
  }

  /** Submits jobs that travel in one batch, in their order. */
  List<UUID> submit(Task.What... whats) {
    return submit(producer, Stream.of(whats).map(what -> new Task(what).request(queue)).toList());
  }

  /** Submits a job that calls a webhook when it ends. */
  List<UUID> submit(Task.What what, URI webhook) {
    JobOptions options = JobOptions.DEFAULT.withWebhook(webhook);
    return submit(producer, new Task(what).request(queue).withOptions(options), 1);
  }

  /** Submits past the streams: the feeder finds rows that wait. */
  List<UUID> submitWaiting(Task.What what, int jobs) {
    try (Millpond aside = Millpond.connect(MillpondConfig.of(database.url()).withTiming(TIMING))) {
      return submit(aside, new Task(what).request(queue), jobs);
    }
  }

  /** Submits a job of a kind that the subject does not know. */
  List<UUID> submitOther() {
    return submit(producer, JobRequest.of(Task.OTHER_KIND, SUCCEED).withQueue(queue), 1);
  }

  /** Submits jobs that are due at once, but that the promoter has to see to. */
  List<UUID> submitScheduled(int jobs) {
    JobRequest request = SUCCEED.request(queue).withDelay(Duration.ofMillis(1));
    return submit(producer, request, jobs);
  }

  /** Submits jobs with these options. */
  List<UUID> submit(Task.What what, JobOptions options, int jobs) {
    return submit(producer, new Task(what).request(queue).withOptions(options), jobs);
  }

  /** Submits a job that is not due for long. */
  UUID submitForLater() {
    return submit(producer, SUCCEED.request(queue).withDelay(Duration.ofHours(1)), 1).getFirst();
  }

  private List<UUID> submit(Millpond to, JobRequest request, int jobs) {
    return submit(to, Collections.nCopies(jobs, request));
  }

  private List<UUID> submit(Millpond to, List<JobRequest> requests) {
    List<UUID> ids = Fleet.submit(to, requests);
    acknowledgedHere.addAll(ids);
    return ids;
  }

  /** Ids that a producer was told are accepted. */
  Set<UUID> acknowledged() {
    Set<UUID> ids = new HashSet<>(acknowledgedHere);
    acknowledged.lines().forEach(line -> ids.add(UUID.fromString(line)));
    return ids;
  }

  /** Tells the subject, and waits until the fault has struck. */
  void strike(Fault fault, String command) {
    subject.tell(command);
    awaitStruck(fault);
  }

  void awaitStruck(Fault fault) {
    Awaitility.await()
        .atMost(PATIENCE)
        .untilAsserted(() -> assertThat(fault.struck()).as(subject::said).isTrue());
  }

  /** Fences the sessions that are there the first time it is called. */
  void fenceAll() {
    if (count("SELECT count(*) FROM millpond.worker WHERE fenced") == 0) {
      database.update("UPDATE millpond.worker SET fenced = true");
    }
  }

  /** A session that is long gone holds everything that waits. */
  void claimByGhost() {
    database.update(
        """
        INSERT INTO millpond.worker (session, host, pid, kinds, slots, lease, beat_at)
        VALUES (gen_random_uuid(), 'ghost', 0, '{}', 1, interval '2 s', now() - interval '1 h');
        UPDATE millpond.dispatch
        SET sent_at = NULL, claimed_by = (SELECT session FROM millpond.worker), claimed_at = now()
        """);
  }

  /** A session that is long gone runs everything that waits. */
  void runByGhost() {
    database.update(
        """
        INSERT INTO millpond.job_state (job_id, queue, class, kind, phase, lease_token, attempt,
                                        session, started_at, seen_at, deadline)
        SELECT id, queue, class, kind, 'running', 1, 1, gen_random_uuid(), now(), now(),
               now() + interval '1 h'
        FROM millpond.job;
        DELETE FROM millpond.dispatch
        """);
  }

  /** A consumer that is long gone has read what is on the stream. */
  void readByGhost() {
    String stream = "millpond:{s0}:" + queue + ":normal";
    try (Jedis jedis = new Jedis(config.redisUrls().getFirst())) {
      jedis.xgroupCreate(stream, "millpond", new StreamEntryID(0, 0), true);
      Map<String, StreamEntryID> unread =
          Map.of(stream, StreamEntryID.XREADGROUP_UNDELIVERED_ENTRY);
      XReadGroupParams params = XReadGroupParams.xReadGroupParams();
      await(() -> jedis.xreadGroup("millpond", "ghost", params, unread) != null);
    }
  }

  /** Lets the fleet work; what it is. */
  Millpond heal() {
    Millpond healthy = fleet;
    if (healthy == null) {
      healthy = Millpond.connect(config);
      fleet = healthy;
      CountDownLatch open = new CountDownLatch(0);
      Task.register(healthy, Task.KIND, FLEET, ledger, open);
      Task.register(healthy, Task.OTHER_KIND, FLEET, ledger, open);
      healthy.startWorker();
      healthy.startMaintenance();
    }
    return healthy;
  }

  /**
   * Lets the fleet finish everything, then checks: every job has an outcome or is dead, what was
   * acknowledged is there, and the books are in order.
   */
  void finish() {
    Millpond healthy = heal();
    awaitAllEnded();
    assertThat(healthy.checkBooks(acknowledged()).findings()).isEmpty();
  }

  /** Waits until no job is on its way. */
  void awaitAllEnded() {
    Awaitility.await()
        .atMost(PATIENCE)
        .untilAsserted(() ->
            assertThat(
                    count(
                        """
                        SELECT count(*) FROM millpond.job j
                        WHERE NOT EXISTS (SELECT FROM millpond.job_outcome o WHERE o.job_id = j.id)
                          AND NOT EXISTS (SELECT FROM millpond.dead_letter d WHERE d.job_id = j.id)
                        """))
                .isZero());
  }

  /** Waits until that many jobs have an outcome. */
  void awaitOutcomes(int outcomes) {
    await(() -> outcomes() == outcomes);
  }

  long jobs() {
    return count("SELECT count(*) FROM millpond.job");
  }

  long outcomes() {
    return count("SELECT count(*) FROM millpond.job_outcome");
  }

  /** Runs of the subject's handler so far. */
  long subjectRuns() {
    return runs(Subject.NAME);
  }

  /** Runs of the fleet's handler so far. */
  long fleetRuns() {
    return runs(FLEET);
  }

  private long runs(String who) {
    return ledger.lines().stream().filter(line -> line.startsWith(who + " ")).count();
  }

  long count(String query) {
    return database.number(query);
  }

  @Override
  public void close() throws IOException {
    subject.close();
    if (fleet != null) {
      fleet.close();
    }
    producer.close();
    postgres.close();
    if (redis != null) {
      redis.close();
    }
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
    database.empty();
    database.update("TRUNCATE effect");
    databases.add(database);
    CrashRedis.leave();
  }
}
