package dev.millpond.engine.lifecycle;

import dev.millpond.api.JobView;
import dev.millpond.api.UnavailableException;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.Sizing;
import dev.millpond.engine.access.KeyRing;
import dev.millpond.engine.access.Keys;
import dev.millpond.engine.admission.Admission;
import dev.millpond.engine.audit.Audit;
import dev.millpond.engine.books.Books;
import dev.millpond.engine.books.BooksGauges;
import dev.millpond.engine.books.BooksReport;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.KindPace;
import dev.millpond.engine.dispatch.Lanes;
import dev.millpond.engine.dispatch.Ways;
import dev.millpond.engine.dispatch.postgres.Bell;
import dev.millpond.engine.dispatch.postgres.PostgresDispatch;
import dev.millpond.engine.dispatch.store.KindStore;
import dev.millpond.engine.dispatch.store.ReaderStore;
import dev.millpond.engine.dispatch.streams.RedisServer;
import dev.millpond.engine.dispatch.streams.RedisShards;
import dev.millpond.engine.dispatch.streams.StreamsKeeper;
import dev.millpond.engine.fleet.Workers;
import dev.millpond.engine.flow.Flow;
import dev.millpond.engine.flow.FlowFollower;
import dev.millpond.engine.flush.Writer;
import dev.millpond.engine.lifecycle.store.ClockStore;
import dev.millpond.engine.lifecycle.store.DatabaseException;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.lifecycle.store.Schema;
import dev.millpond.engine.lifecycle.store.SettingStore;
import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.maintenance.Maintenance;
import dev.millpond.engine.metrics.EngineMetric;
import dev.millpond.engine.metrics.EngineMetrics;
import dev.millpond.engine.query.Health;
import dev.millpond.engine.query.Health.Component;
import dev.millpond.engine.query.Queries;
import dev.millpond.engine.query.Redrives;
import dev.millpond.engine.submit.Entrance;
import dev.millpond.engine.submit.JobIds;
import dev.millpond.engine.submit.StartEstimates;
import dev.millpond.engine.submit.Submitter;
import dev.millpond.engine.submit.store.QueueStore;
import dev.millpond.engine.threads.LoopThread;
import dev.millpond.engine.trace.Tracing;
import dev.millpond.engine.webhook.WebhookCall;
import dev.millpond.engine.webhook.WebhookHandler;
import dev.millpond.engine.worker.HandlerRegistry;
import dev.millpond.engine.worker.RunTraces;
import dev.millpond.engine.worker.Session;
import dev.millpond.engine.worker.Worker;
import dev.millpond.engine.worker.store.SessionStore;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes the parts of a process, starts them in order, and stops them in the opposite order. */
public final class Node {
  private static final Logger log = LoggerFactory.getLogger(Node.class);

  private static final Duration PATIENCE = Duration.ofSeconds(5);

  /** How long ids may go by an offset that is not right any more, when a machine's clock is set. */
  private static final Duration CLOCK_LOOK = Duration.ofSeconds(10);

  private static final Duration CLOCK_STEP = Duration.ofSeconds(1);

  private final MillpondConfig config;
  private final Session session = new Session();
  private final UUID id = session.get();
  private final Transactions transactions;
  private final DatabaseClock clock = new DatabaseClock(InstantSource.system());
  private final Lanes lanes;
  private final FlowFollower follower;
  private final Flow flow;
  private final Workers workers;
  private final Audit audit;
  private final KeyRing ring;
  private final Keys keys;
  private final KindPace pace = new KindPace();
  private final HandlerRegistry handlers = new HandlerRegistry();
  private final RedisShards shards;
  private final BatchMaker maker;
  private final Bell bell;
  private final PostgresDispatch postgres;
  private final Ways ways;
  private final Writer writer;
  private final Admission admission;
  private final Entrance entrance;
  private final StartEstimates estimates;
  private final Submitter submitter;
  private final WebhookHandler webhooks;
  private final Queries queries;
  private final Redrives redrives;
  private final Worker worker;
  private final Maintenance maintenance;
  private final BooksGauges books;
  private final LoopThread clockThread = new LoopThread("millpond-clock", this::followClock);
  private final CountDownLatch stopClock = new CountDownLatch(1);
  private boolean maintaining;
  private volatile boolean checkingKeys;
  private boolean closed;

  private Node(MillpondConfig config, MeterRegistry registry, Tracing tracing) {
    this.config = config;
    this.transactions = new Transactions(Pg.pool(config.pgUrl(), "millpond", Sizing.here().pool()));
    transactions.pool().setMetricRegistry(registry);
    this.lanes = new Lanes(config.classes());
    this.follower = new FlowFollower(transactions, config.classes(), config.watermarks());
    this.flow = new Flow(transactions, follower, lanes);
    this.workers = new Workers(transactions);
    this.audit = new Audit(transactions);
    this.ring = new KeyRing(transactions, clock);
    this.keys = new Keys(transactions, this::lookAtKeys);
    EngineMetrics metrics = new EngineMetrics(registry);
    JobIds ids = new JobIds(clock);
    this.shards = new RedisShards(config.redisUrls(), config.shards());
    this.maker = new BatchMaker(ids, shards);
    watchShards(shards, metrics);
    this.bell = new Bell(config.pgUrl(), transactions, this::heard);
    this.postgres =
        new PostgresDispatch(
            config.pgUrl(),
            session,
            shards::usable,
            shards::degraded,
            bell::hears,
            follower::barred);
    this.ways =
        new Ways(
            shards.ways(id.toString(), config.timing().settle()),
            postgres,
            this::rowsWait,
            follower::barred);
    this.writer = new Writer(config.pgUrl(), session, maker, pace, ways, metrics);
    this.admission = new Admission(transactions, queue -> follower.get().watermarks(queue));
    writer.ask(admission);
    this.entrance = new Entrance(writer, admission, transactions, metrics, PATIENCE);
    this.estimates = new StartEstimates(admission, pace, clock, metrics);
    this.submitter =
        new Submitter(entrance, estimates, tracing, ids, clock, lanes, transactions, config);
    this.webhooks = new WebhookHandler(config.webhooks(), this::job, clock);
    if (config.webhooks().enabled()) {
      handlers.registerHandler(WebhookCall.KIND, WebhookCall.class, webhooks, webhooks.options());
    }
    this.queries = new Queries(transactions, lanes, follower, maker, clock, ways::rowsWait);
    this.redrives =
        new Redrives(transactions, queries, maker, ids, config.limits(), ways::rowsWait);
    this.worker =
        new Worker(
            config,
            session,
            handlers,
            lanes,
            follower,
            pace,
            transactions,
            writer,
            metrics,
            new RunTraces(tracing, session),
            clock);
    this.maintenance =
        new Maintenance(
            transactions, id, bell, this::keepers, lanes, maker, pace, config, follower, metrics);
    follower.tell(this::flowChanged);
    this.books = new BooksGauges(metrics);
    show(metrics);
  }

  private void show(EngineMetrics metrics) {
    metrics.gauge(EngineMetric.BELL_HEARD, () -> bell.hears() ? 1 : 0);
    metrics.gauge(EngineMetric.SUBMITS_WAITING, admission::waiting);
    metrics.gauge(EngineMetric.POSTGRES_UP, () -> follower.answered() ? 1 : 0);
    metrics.gauge(EngineMetric.THREADS_LOST, () -> lostThreads().size());
  }

  /**
   * Makes a node that submits and reads.
   *
   * @throws dev.millpond.engine.SchemaException when the schema is not this version's
   * @throws ClockException when the machine's clock is too far off
   */
  public static Node start(MillpondConfig config, MeterRegistry registry, Tracing tracing) {
    Schema.check(config.pgUrl());
    Node node = new Node(config, registry, tracing);
    try {
      node.clock.measure(node.transactions);
      node.promise(config.limits().keysLive());
      node.follower.look();
      if (config.webhooks().enabled()) {
        node.prepareWebhooks();
      }
    } catch (RuntimeException e) {
      node.transactions.close();
      throw e;
    }
    node.bell.start();
    node.writer.start();
    node.admission.start();
    node.lookAtReaders();
    node.lookAtKinds();
    node.clockThread.start();
    node.follower.start();
    return node;
  }

  private void followClock() {
    try {
      long clockNextNanos = System.nanoTime() + CLOCK_LOOK.toNanos();
      while (!stopClock.await(config.timing().beat().toMillis(), TimeUnit.MILLISECONDS)) {
        lookAtKinds();
        if (System.nanoTime() - clockNextNanos < 0) {
          continue;
        }
        clockNextNanos = System.nanoTime() + CLOCK_LOOK.toNanos();
        try {
          Duration step = clock.follow(transactions);
          if (step.abs().compareTo(CLOCK_STEP) > 0) {
            log.warn("this machine's clock has moved by {} against the database's", step.negated());
          }
        } catch (DatabaseException e) {
          log.debug("the database's clock was not read: {}", e.getMessage());
        }
        lookAtReaders();
        lookAtStarts();
      }
    } catch (InterruptedException e) {
      log.debug("the clock is not followed any more");
    }
  }

  /** Measures how far off predicted starts were. */
  private void lookAtStarts() {
    try {
      estimates.check(queries::find);
    } catch (UnavailableException e) {
      log.debug("the starts of jobs were not read: {}", e.getMessage());
    }
  }

  /** Learns how long jobs of the kinds take that others run. */
  private void lookAtKinds() {
    try {
      pace.learn(transactions.read(KindStore::read));
    } catch (DatabaseException e) {
      log.debug("how long kinds take was not read: {}", e.getMessage());
    }
  }

  /** Learns who reads which stream. What has changed since is put right by the leader. */
  private void lookAtReaders() {
    if (shards.servers().isEmpty()) {
      return;
    }
    try {
      shards.learn(transactions.read(ReaderStore::read));
    } catch (DatabaseException e) {
      log.debug("the readers of streams were not read: {}", e.getMessage());
    }
  }

  private static void watchShards(RedisShards shards, EngineMetrics metrics) {
    for (RedisServer server : shards.servers()) {
      String shard = server.number();
      metrics.gauge(EngineMetric.SHARD_UP, () -> server.up() ? 1 : 0, shard);
      metrics.gauge(EngineMetric.SHARD_USABLE, () -> server.usable() ? 1 : 0, shard);
      metrics.counter(EngineMetric.SHARD_ABSENCES, server::absences, shard);
    }
  }

  /** Told before the first key is taken, since the retention of jobs goes by it. */
  private void promise(Duration keysLive) {
    transactions.callOrThrow(tx -> {
      SettingStore.raise(tx, SettingStore.KEYS_LIVE_LONGEST, keysLive);
      return true;
    });
  }

  /** Makes the queue of the calls known before the first one, here and everywhere. */
  private void prepareWebhooks() {
    transactions.callOrThrow(tx -> {
      QueueStore.ensure(tx, WebhookCall.QUEUE);
      return true;
    });
    lanes.learn(List.of(WebhookCall.QUEUE));
  }

  private Optional<JobView> job(UUID job) {
    return queries.find(job);
  }

  /** Something was left in PostgreSQL by this process. Called very often. */
  private void rowsWait() {
    bell.ring();
    worker.rowsWait();
  }

  /** What operators set has changed: some may go on, and some has to be held back. */
  private void flowChanged() {
    worker.flowChanged();
    postgres.wake();
    maintenance.flowChanged();
  }

  /** Something was left in PostgreSQL, by whichever process. */
  private void heard() {
    postgres.heard();
    worker.rowsWait();
    maintenance.heard();
  }

  private List<StreamsKeeper> keepers() {
    return shards.keepers();
  }

  public UUID id() {
    return id;
  }

  public Submitter submitter() {
    return submitter;
  }

  public Queries queries() {
    return queries;
  }

  public Flow flow() {
    return flow;
  }

  public Workers workers() {
    return workers;
  }

  public Audit audit() {
    return audit;
  }

  public Keys keys() {
    return keys;
  }

  /** The keys, followed from now on. */
  public KeyRing followKeys() {
    ring.start();
    checkingKeys = true;
    return ring;
  }

  /** A change of keys holds here at once, as far as it can be read. */
  private void lookAtKeys() {
    if (!checkingKeys) {
      return;
    }
    try {
      ring.look();
    } catch (DatabaseException e) {
      log.debug("the change holds here as soon as it can be read: {}", e.getMessage());
    }
  }

  public Redrives redrives() {
    return redrives;
  }

  public HandlerRegistry handlers() {
    return handlers;
  }

  public Worker worker() {
    return worker;
  }

  public void startWorker() {
    worker.start(ways);
    bell.listen();
    lookAtReaders();
  }

  public void stopWaiting() {
    admission.refuseAll();
  }

  public void startMaintenance() {
    maintaining = true;
    maintenance.start();
    bell.listen();
  }

  public boolean leads() {
    return maintenance.held();
  }

  /** Fences the sessions of a process that is known to have died. */
  public void processDied(UUID process) {
    int sessions = transactions.callOrThrow(tx -> SessionStore.died(tx, process));
    if (sessions > 0) {
      log.warn("process {} died", process);
      bell.ring(); // or the reaper rests a little longer
    }
  }

  /** Names of its threads that have ended by themselves. */
  public List<String> lostThreads() {
    return LoopThread.lost(
        Stream.of(
                writer.threads(),
                entrance.threads(),
                admission.threads(),
                ways.threads(),
                worker.threads(),
                maintenance.threads(),
                bell.threads(),
                List.of(clockThread, follower.thread(), ring.thread()))
            .flatMap(List::stream));
  }

  /** Whether it has lost a thread without which it cannot even drain. */
  public boolean broken() {
    return writer.lost() || worker.threads().stream().anyMatch(LoopThread::lost);
  }

  public Health health() {
    List<Component> components = new ArrayList<>();
    List<String> lost = lostThreads();
    components.add(
        new Component(
            "threads",
            lost.isEmpty(),
            true,
            lost.isEmpty() ? "all run" : "lost " + String.join(", ", lost) + "; to be restarted"));
    try {
      transactions.call(ClockStore::now);
      components.add(new Component("postgres", true, true, "answers"));
    } catch (DatabaseException e) {
      components.add(new Component("postgres", false, true, String.valueOf(e.getMessage())));
    }
    for (RedisServer server : shards.servers()) {
      components.add(
          new Component(
              server.name(), server.usable(), false, server.place() + " " + server.standing()));
    }
    if (worker.running()) {
      components.add(
          new Component(
              "worker",
              worker.heard(),
              true,
              worker.heard() ? "beats are heard" : "no beat heard"));
    }
    if (maintaining) {
      boolean part = maintenance.threads().stream().noneMatch(LoopThread::lost);
      components.add(
          new Component(
              "maintenance",
              part,
              false,
              maintenance.held() ? "leader" : part ? "stands by" : "takes no part any more"));
    }
    return new Health(components);
  }

  public BooksReport checkBooks(Set<UUID> acknowledged) {
    List<StreamsKeeper> keepers = keepers();
    try {
      Duration apart = config.timing().settle().multipliedBy(4).plus(config.timing().scan());
      BooksReport report = new Books(transactions, keepers, lanes, apart).check(acknowledged);
      books.show(report);
      return report;
    } finally {
      keepers.forEach(StreamsKeeper::close);
    }
  }

  /** Drains, then stops everything. */
  public synchronized void close(Duration drainWithin) {
    if (closed) {
      return;
    }
    closed = true;
    long clockEnds = System.nanoTime() + PATIENCE.toNanos();
    clockThread.mayEnd();
    stopClock.countDown();
    admission.close(); // those who wait are answered before anything else ends
    if (worker.running()) {
      worker.drain(drainWithin);
    }
    entrance.close();
    writer.close();
    worker.close();
    webhooks.close();
    if (maintaining) {
      maintenance.close();
    }
    ways.close();
    awaitClock(clockEnds);
    bell.close();
    follower.close();
    ring.close();
    transactions.close();
  }

  private void awaitClock(long untilNanos) {
    try {
      clockThread.joinUntil(untilNanos);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
