package dev.millpond.engine.worker;

import static java.util.Objects.requireNonNull;

import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.Timing;
import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.Claimed;
import dev.millpond.engine.dispatch.Claimed.Receipt;
import dev.millpond.engine.dispatch.Demand;
import dev.millpond.engine.dispatch.Dispatch;
import dev.millpond.engine.dispatch.KindPace;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.Lanes;
import dev.millpond.engine.dispatch.Ways;
import dev.millpond.engine.fleet.DrainOrder;
import dev.millpond.engine.flow.FlowSettings;
import dev.millpond.engine.flush.Writer;
import dev.millpond.engine.lifecycle.store.DatabaseException;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.metrics.EngineMetric;
import dev.millpond.engine.metrics.EngineMetrics;
import dev.millpond.engine.threads.LoopThread;
import dev.millpond.engine.worker.HandlerRegistry.Registration;
import dev.millpond.engine.worker.forked.ForkedExecutor;
import dev.millpond.engine.worker.store.ClaimStore;
import dev.millpond.engine.worker.store.ClaimStore.Loaded;
import dev.millpond.engine.worker.store.LimitedClaimStore;
import dev.millpond.engine.worker.store.LimitedClaimStore.Sort;
import dev.millpond.engine.worker.store.LimitedClaimStore.Taken;
import dev.millpond.engine.worker.store.SessionStore;
import dev.millpond.engine.worker.store.SessionStore.Opening;
import dev.millpond.engine.worker.store.SessionStore.Standing;
import dev.millpond.engine.worker.store.UserTransaction;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The part of a process that runs jobs: a claim loop for each way, a bounded number of slots, a
 * watch and a heartbeat. Here they are put together, started and ended; what is claimed is up to
 * {@link Room}, and where it goes up to {@link Intake}.
 */
public final class Worker implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Worker.class);

  /** At the end of a drain, for the commit of what is given back. */
  private static final long HAND_BACK_NANOS = TimeUnit.SECONDS.toNanos(5);

  /** How long all threads together may take to end; one on a dead connection takes longer. */
  private static final long THREADS_END_NANOS = TimeUnit.SECONDS.toNanos(5);

  private final String pgUrl;
  private final Session session;
  private final HandlerRegistry handlers;
  private final Lanes lanes;
  private final KindPace pace;
  private final Timing timing;
  private final Transactions transactions;

  /** Apart from all else that asks the database, see {@link Pg#beats}. */
  private final Transactions beats;

  /** While one is made, nothing else begins here: see {@link Pg#prompt}. */
  private final Transactions notes;

  private final UserTransaction userTransaction;
  private final Desk desk;
  private final Supply supply = new Supply();
  private final WeightedLanes ready;
  private final ForkedExecutor children;
  private final Runner runner;
  private final Watch watch;
  private final Heartbeat heartbeat;
  private final Quarantine quarantine;
  private final Room room;
  private final Barriers barriers;
  private final Intake intake;
  private final Writer writer;
  private final LimitedLoop limited;
  private final List<ClaimLoop> loops = new ArrayList<>();
  private @Nullable KeptBatches kept;

  /** As its row says. */
  private volatile @Nullable DrainOrder drainOrder;

  private @Nullable Ways ways;
  private final CountDownLatch stop = new CountDownLatch(1);
  private volatile boolean started;

  /**
   * @param flow the weights as they are now
   * @param clock the database's, as far as known
   */
  public Worker(
      MillpondConfig config,
      Session session,
      HandlerRegistry handlers,
      Lanes lanes,
      Supplier<FlowSettings> flow,
      KindPace pace,
      Transactions transactions,
      Writer writer,
      EngineMetrics metrics,
      RunTraces traces,
      InstantSource clock) {
    this.pgUrl = config.pgUrl();
    this.session = session;
    this.handlers = handlers;
    this.lanes = lanes;
    this.timing = config.timing();
    this.pace = pace;
    this.transactions = transactions;
    this.userTransaction =
        new UserTransaction(pgUrl, session, timing.lease(), config.limits().resultBytes());
    this.desk = new Desk(writer, metrics, traces, clock, userTransaction);
    this.ready = new WeightedLanes(flow, pace, clock, supply, writer::behind);
    this.children = new ForkedExecutor(config.forked(), config.limits(), this::draining);
    this.runner =
        new Runner(
            ready,
            desk,
            pace,
            children,
            new Ends(new ChildDeaths(transactions), config.limits().resultBytes()),
            config.slots(),
            config.guard().abandonedMax());
    this.watch = new Watch(desk, timing.settle(), config.forked().cancelGrace(), this);
    this.notes = new Transactions(Pg.prompt(pgUrl, timing.lease(), 1));
    this.quarantine = new Quarantine(this, session, ready, runner, notes);
    this.room = new Room(handlers, lanes, ready, quarantine, runner, writer);
    this.barriers = new Barriers(flow, desk, ready);
    this.intake = new Intake(handlers, desk, ready, quarantine, pace, room, barriers);
    this.limited =
        new LimitedLoop(new LimitedClaimStore(pgUrl), this, session, handlers, flow, desk);
    this.writer = writer;
    this.beats = new Transactions(Pg.beats(pgUrl, timing.lease()));
    this.heartbeat = new Heartbeat(beats, session, desk, this, pace, lanes, timing);
    show(metrics);
  }

  private void show(EngineMetrics metrics) {
    metrics.gauge(EngineMetric.WORKER_DRAINING, () -> room.givesBack() ? 1 : 0);
    metrics.gauge(EngineMetric.WORKER_SLOTS, runner::busy, "busy");
    metrics.gauge(EngineMetric.WORKER_SLOTS, () -> started ? runner.free() : 0, "free");
    metrics.gauge(EngineMetric.WORKER_SLOTS, runner::abandoned, "abandoned");
    metrics.gauge(EngineMetric.FORKED_CHILDREN, children::busy, "busy");
    metrics.gauge(EngineMetric.FORKED_CHILDREN, children::idle, "idle");
    metrics.counter(EngineMetric.FORKED_STARTED, children::started);
    metrics.gauge(EngineMetric.HEARTBEAT_AGE, () -> started ? heartbeat.ageNanos() / 1e9 : 0);
  }

  /**
   * Begins to claim, from each way in a loop, and to keep.
   *
   * @throws DatabaseException when the session's row cannot be written
   */
  public void start(Ways ways) {
    this.ways = ways;
    children.start(handlers.forkableModules(), handlers.forkedModules());
    openSession(transactions); // nothing runs yet: a database that is slow may take its time
    lanes.learn(transactions.call(SessionStore::queues));
    for (Dispatch way : ways.all()) {
      loops.add(new ClaimLoop(way, new ClaimStore(pgUrl), this, supply));
    }
    KeptBatches keeps = new KeptBatches(this, ways.table(), session, pace, runner.slots());
    kept = keeps;
    started = true;
    writer.connect(); // while there are files to be opened: what runs here may use all of them up
    writer.keepFor(keeps);
    heartbeat.start();
    watch.start();
    quarantine.start();
    loops.forEach(ClaimLoop::start);
    limited.start();
  }

  /** Opens a new session in the place of one that is over. */
  void openSession() {
    openSession(beats);
  }

  private void openSession(Transactions by) {
    by.call(tx -> {
      SessionStore.open(
          tx,
          new Opening(
              session.get(),
              session.process(),
              host(),
              ProcessHandle.current().pid(),
              handlers.kinds(),
              runner.slots(),
              timing.lease(),
              shards(),
              drainOrder));
      return true;
    });
  }

  /** Shards whose streams it reads now. */
  List<Integer> shards() {
    Ways mine = ways;
    return mine == null ? List.of() : mine.read();
  }

  private static String host() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "unknown";
    }
  }

  public boolean running() {
    return started;
  }

  /** Whether it is heard by the database. */
  public boolean heard() {
    return heartbeat.ageNanos() < timing.lease().toNanos();
  }

  /** Whether it is worth asking the database for anything. */
  private boolean heardLately() {
    return heartbeat.ageNanos() < timing.lease().toNanos() / 2;
  }

  int busy() {
    return runner.busy();
  }

  /**
   * Whether so many threads run on after the hard timeout of their handlers that the process should
   * end: it claims nothing any more.
   */
  public boolean wornOut() {
    return runner.wornOut();
  }

  /** Without one of them, what it runs is not looked after. */
  public List<LoopThread> threads() {
    if (!started) {
      return List.of();
    }
    List<LoopThread> threads = new ArrayList<>();
    loops.forEach(loop -> threads.add(loop.thread()));
    threads.addAll(
        List.of(
            watch.thread(),
            heartbeat.thread(),
            quarantine.thread(),
            children.thread(),
            limited.thread()));
    return threads;
  }

  /** Whether nothing that it does can be written any more. */
  boolean writerLost() {
    return writer.lost();
  }

  /** Batches that wait here. */
  int waiting() {
    return room.waiting();
  }

  /** Whether it has got all there was on every way, and would run this batch. */
  boolean hungry(Batch batch) {
    if (!room.open()
        || !heard() // its session may be gone, and what is claimed for it with it
        || handlers.find(batch.kind()) == null
        || barriers.bars(batch)) {
      return false;
    }
    for (ClaimLoop loop : loops) {
      if (!loop.tookAll()) {
        return false;
      }
    }
    return true;
  }

  /** What operators set has changed: holds back what is not to start any more. */
  public void flowChanged() {
    if (started) {
      barriers.changed();
      limited.wake();
    }
  }

  /** Whether its process is about to end. */
  boolean draining() {
    return room.closed();
  }

  /** What it says of itself with each beat. */
  Standing standing() {
    boolean takesNone = room.givesBack();
    return new Standing(runner.busy(), takesNone, takesNone && idle(), shards());
  }

  /**
   * It is to take nothing more, and to give back what has not started; or to take jobs again.
   *
   * @param order null: it is not asked to drain
   */
  void asked(@Nullable DrainOrder order) {
    boolean news = (order == null) != (drainOrder == null);
    drainOrder = order;
    room.rest(order != null);
    if (order != null) {
      giveBackWaiting(); // each time: a claim may have been under way
    }
    if (news && order == null) {
      log.info("takes jobs again");
    } else if (news) {
      log.info("takes no more jobs, as asked: {}", order);
    }
  }

  private void giveBackWaiting() {
    ready.clear().forEach(run -> run.dissolve(false));
    quarantine.clear().forEach(run -> run.dissolve(false));
  }

  Duration settle() {
    return timing.settle();
  }

  Duration lease() {
    return timing.lease();
  }

  int laneCount() {
    return lanes.all().size();
  }

  /** What there is room for, to be claimed from a way; null when there is none. */
  @Nullable Demand demand(Dispatch way) {
    return room.demand(way);
  }

  /** Starts what has waited because too much was to be written. */
  void goOn() {
    if (ready.gives()) {
      runner.pump();
    }
  }

  /** Waits until a slot may have become free. */
  void awaitRoom(long millis) {
    runner.awaitFree(millis);
  }

  /** Pauses a thread of this worker; ends early when the worker stops. */
  void awaitStop(long millis) {
    try {
      boolean ignored = stop.await(millis, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Takes over claimed batches with what was loaded of them. */
  void accept(Dispatch origin, List<Claimed> claimed, List<Loaded> loaded) {
    intake.take(origin, claimed, loaded);
    runner.pump();
  }

  /** Takes over jobs that were claimed as running. */
  void acceptLimited(Sort sort, Registration<?> registration, List<Taken> taken) {
    Dispatch table = requireNonNull(ways, "started").table();
    for (Taken each : taken) {
      UUID id = BatchMaker.ofTheTimeOf(each.from());
      UUID[] ids = {each.job().id()};
      int[] tokens = {each.job().token()};
      Batch place = new Batch(id, sort.lane(), sort.kind(), 0, ids, tokens);
      intake.takeRunning(
          table, new Claimed(place, new Receipt.Row()), registration, each.job(), limited::wake);
    }
    runner.pump();
  }

  /** Jobs of limited queues and kinds that there is room for. */
  int roomForLimited() {
    long ready = desk.runs().stream().filter(run -> run.ofRunning() && run.anyReady()).count();
    return (int) Math.max(0, room.jobs() - ready);
  }

  /** All lanes, with those first that are wanted most. */
  List<Lane> lanesByNeed() {
    return ready.leastServedFirst(lanes.all());
  }

  /** Rows may wait in the table, of limited queues and kinds as well. Called very often. */
  public void rowsWait() {
    limited.wake();
  }

  /** Gives back a claimed batch as it came. */
  void giveBack(Dispatch origin, Claimed claimed) {
    intake.giveBack(origin, claimed);
  }

  /**
   * The session is fenced: nothing that runs here counts any more. It is watched until it ends, so
   * that a handler that does not stop gives up its slot at its hard timeout.
   */
  void loseAll() {
    desk.metrics().add(EngineMetric.WORKER_FENCED, 1);
    ready.clear();
    quarantine.clear();
    desk.runs().forEach(BatchRun::lose);
    desk.tracked().forEach(attempt -> attempt.stop(StopReason.LOST));
  }

  /**
   * Stops claiming, gives back what has not started, and lets the rest finish; at the end of the
   * time what still runs is told to stop and given back under a new token, as the same attempt.
   *
   * @return whether everything finished or was given back
   */
  public boolean drain(Duration within) {
    long until = System.nanoTime() + within.toNanos();
    room.close();
    loops.forEach(ClaimLoop::stop);
    limited.stop();
    long loopsEnd = System.nanoTime() + THREADS_END_NANOS;
    loops.forEach(loop -> loop.join(loopsEnd));
    limited.join(loopsEnd);
    if (writerLost()) {
      loseAll();
      return false;
    }
    giveBackWaiting();
    Duration grace =
        within.dividedBy(5).compareTo(Duration.ofSeconds(5)) < 0
            ? within.dividedBy(5)
            : Duration.ofSeconds(5);
    if (awaitIdle(until - grace.toNanos())) {
      return true;
    }
    log.info("{} slots are still busy, their jobs are told to stop", runner.busy());
    for (BatchRun run : desk.runs()) {
      run.dissolve(false);
      run.attempts().forEach(attempt -> attempt.stop(StopReason.SHUTDOWN));
    }
    desk.tracked().forEach(attempt -> attempt.stop(StopReason.SHUTDOWN));
    if (awaitIdle(until)) {
      return true;
    }
    log.warn("{} handlers did not stop, their jobs are given back all the same", runner.busy());
    long last = System.nanoTime() + HAND_BACK_NANOS;
    while (!idle()) {
      if (System.nanoTime() - last >= 0) {
        return false;
      }
      // Again and again: some are tracked only once their batch is dissolved.
      List.copyOf(desk.tracked()).forEach(Runner::giveBack);
      runner.awaitFree(10);
    }
    return true;
  }

  private boolean awaitIdle(long untilNanos) {
    while (!idle()) {
      if (System.nanoTime() - untilNanos >= 0) {
        return false;
      }
      runner.awaitFree(10);
    }
    return true;
  }

  private boolean idle() {
    return !keepsMore() && runner.busy() == 0 && desk.runs().isEmpty() && desk.tracked().isEmpty();
  }

  /** Whether batches are on their way here from the writer of this process. */
  private boolean keepsMore() {
    return kept != null
        && kept.awaited()
        && !writer.away(); // or else it may take long, and they are given back
  }

  /** Ends at once: to be drained before. */
  @Override
  public void close() {
    room.close();
    long until = System.nanoTime() + THREADS_END_NANOS;
    loops.forEach(ClaimLoop::stop);
    limited.stop();
    loops.forEach(loop -> loop.join(until));
    limited.join(until);
    boolean heard = started && heardLately();
    watch.stop();
    quarantine.stop();
    heartbeat.stop();
    stop.countDown();
    children.close();
    boolean ended = runner.shutdown(200);
    if (!ended) {
      log.info("{} handlers run on after the end of their worker", runner.busy());
    }
    if (heard) { // or else it would be tried in vain
      quarantine.join(until);
      heartbeat.join(until); // a beat after this would find no session
      try {
        transactions.call(tx -> {
          SessionStore.close(tx, session.get());
          return true;
        });
      } catch (DatabaseException e) {
        log.debug("the session's row stays, the reaper will see to it: {}", e.getMessage());
      }
    }
    userTransaction.close();
    beats.close();
    notes.close();
  }
}
