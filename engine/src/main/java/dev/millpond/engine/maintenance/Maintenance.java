package dev.millpond.engine.maintenance;

import com.zaxxer.hikari.HikariDataSource;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.Sizing;
import dev.millpond.engine.Timing;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.KindPace;
import dev.millpond.engine.dispatch.Lanes;
import dev.millpond.engine.dispatch.postgres.Bell;
import dev.millpond.engine.dispatch.streams.StreamsKeeper;
import dev.millpond.engine.flow.FlowSettings;
import dev.millpond.engine.lifecycle.store.DatabaseException;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.maintenance.RoleLoop.Wait;
import dev.millpond.engine.maintenance.store.LookStore;
import dev.millpond.engine.maintenance.store.LookStore.Look;
import dev.millpond.engine.metrics.EngineMetric;
import dev.millpond.engine.metrics.EngineMetrics;
import dev.millpond.engine.query.RestingCounts;
import dev.millpond.engine.threads.LoopThread;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs the roles of this package while this process is the leader: each on a thread of its own, at
 * its own pace, so that a long look of one delays no other. Should one of the threads be lost, all
 * roles end here, and another process takes the lead: one that renewed its lease without a reaper,
 * say, would keep the others from rescuing anything.
 */
public final class Maintenance implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Maintenance.class);

  private static final Duration LEADER_LEASE_MIN = Duration.ofSeconds(1);
  private static final Duration LEADER_LEASE_MAX = Duration.ofSeconds(5);
  private static final Duration PROMOTE_EVERY = Duration.ofMillis(100);

  /**
   * After {@link #PROMOTE_RESTS_AFTER} looks in a row that found nothing due, ten seconds, where no
   * bell is heard.
   */
  private static final Duration PROMOTE_REST = Duration.ofMillis(200);

  /** Where one is, and did not ring for a while. */
  private static final Duration PROMOTE_SLEEP = Duration.ofNanos(Bell.REST_NANOS);

  private static final int PROMOTE_RESTS_AFTER = 100;
  private static final Duration FULL_LOOK = Duration.ofSeconds(2);
  private static final int FULL_LOOK_SHARE = 20;
  private static final Duration FEED_BUSY = Duration.ofMillis(20);
  private static final Duration FEED_IDLE = Duration.ofMillis(250);

  /** After a fault of the database, so that the roles do not come back all at once. */
  private static final Duration AWAY_LEAST = Duration.ofMillis(125);

  private static final long AWAY_MORE_MILLIS = 500;
  private static final Duration COMPACT_EVERY = Duration.ofSeconds(1);
  private static final Duration COMPACT_REST = Duration.ofSeconds(8);

  /** Of roles that are woken as soon as there is something to do. */
  private static final Duration REST = Duration.ofSeconds(5);

  private static final int SCANS_OF_A_REST = 4;
  private static final Duration SAMPLE_EVERY = Duration.ofSeconds(5);
  private static final Duration EXPIRE_EVERY = Duration.ofSeconds(1);
  private static final Duration TIDY_EVERY = Duration.ofSeconds(30);
  private static final Duration CAP_EVERY = Duration.ofSeconds(10);
  private static final Duration PARTITIONS_EVERY = Duration.ofMinutes(10);
  private static final Duration RETAIN_EVERY = Duration.ofMinutes(1);
  private static final Duration RETAIN_BUSY = Duration.ofMillis(250);
  private static final Duration LOCKED_WAIT = Duration.ofSeconds(10);

  /** How long all roles together may take to end; one on a dead connection takes longer. */
  private static final Duration ROLES_END = Duration.ofSeconds(5);

  private final Leadership leadership;
  private final HikariDataSource prompt;
  private final Duration promptAnswer;
  private final Leadership renewal;
  private final Bell bell;
  private final EngineMetrics metrics;
  private final List<RoleLoop> roles = new ArrayList<>();

  /** Those with nothing to do while no dispatch rows are on their way. */
  private final List<RoleLoop> forRows;

  private final RoleLoop promoter;
  private final RoleLoop reaper;
  private final RoleLoop expirer;
  private final RoleLoop feeder;
  private final RoleLoop resumer;
  private final List<Streams> opened = new ArrayList<>();

  /** Whether there are new waiting rows. */
  private final AtomicBoolean feedNews = new AtomicBoolean();

  /** When the next look is at everything. */
  private long fullLookAtNanos = System.nanoTime();

  /** Whether the last full look found dispatch rows: it says so until the next one. */
  private boolean olderOnTheirWay;

  private Duration compactWait = COMPACT_EVERY;

  /** Looks of the promoter's in a row that found nothing due. */
  private int nothingDue;

  /** Whether all roles are to end, and the lease to be given back. */
  private volatile boolean ending;

  /** Until when to look often, whatever is found. */
  private volatile long awakeUntilNanos = System.nanoTime();

  /** What there was to do when the promoter last looked, a second ago at most. */
  private volatile Look look = Look.UNKNOWN;

  /** A role's turn, which may fail. */
  private interface Turn {
    Wait run();
  }

  /**
   * @param holder identity of this process as a leader
   * @param bell tells other processes of rows that wait, and this one when to look
   * @param flow what operators have set
   * @param keepers opens a set of keepers, one for each role that talks to Redis
   */
  public Maintenance(
      Transactions transactions,
      UUID holder,
      Bell bell,
      Supplier<List<StreamsKeeper>> keepers,
      Lanes lanes,
      BatchMaker maker,
      KindPace pace,
      MillpondConfig config,
      Supplier<FlowSettings> flow,
      EngineMetrics metrics) {
    Timing timing = config.timing();
    Duration lease = timing.lease().dividedBy(3);
    lease = lease.compareTo(LEADER_LEASE_MIN) < 0 ? LEADER_LEASE_MIN : lease;
    lease = lease.compareTo(LEADER_LEASE_MAX) > 0 ? LEADER_LEASE_MAX : lease;
    this.bell = bell;
    this.metrics = metrics;
    this.leadership = new Leadership(transactions, holder, lease);
    this.promptAnswer = Pg.promptAnswer(timing.lease());
    this.prompt = Pg.prompt(config.pgUrl(), timing.lease(), Sizing.PROMPT_ROLES);
    this.renewal = promptly();
    Leadership looks = promptly();
    Duration renew = lease.dividedBy(4);
    Runnable fed = this::feedNews;
    Reaper reaping =
        new Reaper(
            promptly(),
            open(keepers),
            lanes,
            maker,
            metrics,
            Reaper.Config.of(timing, config.guard()),
            fed);
    Promoter promoting = new Promoter(looks, maker, pace, Promoter.Config.DEFAULT, fed);
    Feeder feeding =
        new Feeder(promptly(), open(keepers), () -> flow.get().barred(), Feeder.Config.DEFAULT);
    Resumer resuming =
        new Resumer(
            leadership, maker, pace, () -> flow.get().version(), Resumer.Config.DEFAULT, fed);
    Reconciler reconciler =
        new Reconciler(
            promptly(),
            open(keepers),
            lanes,
            maker,
            metrics,
            Reconciler.Config.of(timing),
            holder.toString(),
            fed);
    QueueSampler sampler =
        new QueueSampler(leadership, flow, new RestingCounts(transactions), metrics);
    FlowSampler flows = new FlowSampler(leadership, flow, metrics);
    ServerSampler servers = new ServerSampler(leadership, open(keepers), lanes, metrics);
    DepthCompactor compactor = new DepthCompactor(leadership, metrics);
    Expirer expiring = new Expirer(leadership, metrics, Expirer.Config.DEFAULT);
    Tidier tidier = new Tidier(leadership, Tidier.Config.of(config.retention()));
    ScheduledCap cap = new ScheduledCap(leadership, ScheduledCap.Config.DEFAULT);
    PartitionKeeper partitions = new PartitionKeeper(leadership, PartitionKeeper.Config.DEFAULT);

    Retention retention =
        new Retention(leadership, Retention.Config.of(config.retention()), metrics);

    Duration scan = timing.scan();
    Duration scanRest = rest(timing);
    addAlways("leader", () -> lead(renew));
    add("partitions", () -> afterLocks(partitions.runOnce().locked(), PARTITIONS_EVERY));
    add("retention", () -> next(retention.runOnce()));
    this.promoter = add("promoter", () -> promote(looks, promoting, scan));
    this.reaper = add("reaper", () -> reap(reaping, scan, scanRest));
    RoleLoop reconciling = add("reconciler", () -> reconcile(reconciler, scan, scanRest));
    RoleLoop compacting = add("compactor", () -> compact(compactor));
    addAlways("sampler", () -> after(List.of(sampler.runOnce(), flows.runOnce()), SAMPLE_EVERY));
    addAlways("servers", () -> after(servers.runOnce(), SAMPLE_EVERY));
    this.expirer = add("expirer", () -> expire(expiring, min(EXPIRE_EVERY, scan)));
    add("tidier", () -> after(tidier.runOnce(), TIDY_EVERY));
    add("scheduled-cap", () -> after(cap.runOnce(), CAP_EVERY));
    this.feeder = add("feeder", () -> feed(feeding));
    this.resumer = add("resumer", resuming::turn);
    this.forRows = List.of(this.feeder, this.reaper, reconciling, compacting);
    metrics.gauge(EngineMetric.LEADER, () -> held() ? 1 : 0);
  }

  /** Looks for all roles, and promotes what is due; when to look again. */
  private Wait promote(Leadership looks, Promoter promoting, Duration scan) {
    Look last = look;
    look = Look.UNKNOWN; // until it is over: it may fail, or take long
    Look found = lookUp(looks, last);
    if (found.due()) {
      stayAwake();
      forRows.forEach(RoleLoop::work); // before: there may be much to promote
      log.trace("{}", promoting.runOnce());
      nothingDue = 0;
      return Wait.of(min(PROMOTE_EVERY, scan));
    }
    look = found;
    nothingDue++;
    if (found.onTheirWay()) {
      forRows.forEach(RoleLoop::work);
    }
    if (found.expiring()) {
      expirer.work();
    }
    return untilNextLook(found, scan);
  }

  /** Less than usual where the next job is due before. */
  private Wait untilNextLook(Look found, Duration scan) {
    long millis = Math.min(min(usualWait(), scan).toMillis(), found.dueInMillis());
    return Wait.of(Duration.ofMillis(millis));
  }

  private Duration usualWait() {
    if (System.nanoTime() - awakeUntilNanos < 0) {
      return PROMOTE_EVERY;
    }
    if (bell.hears()) {
      return PROMOTE_SLEEP;
    }
    return nothingDue < PROMOTE_RESTS_AFTER ? PROMOTE_EVERY : PROMOTE_REST;
  }

  /** Looks at everything now and then, for a twentieth of the time at most. */
  private Look lookUp(Leadership looks, Look last) {
    long began = System.nanoTime();
    boolean full = began - fullLookAtNanos >= 0;
    Look found = looks.read(connection -> LookStore.look(connection, full));
    if (full) {
      long now = System.nanoTime();
      fullLookAtNanos = now + Math.max(FULL_LOOK.toNanos(), FULL_LOOK_SHARE * (now - began));
      olderOnTheirWay = found.onTheirWay();
      return found;
    }
    return new Look(found.dueInMillis(), found.onTheirWay() || olderOnTheirWay, last.expiring());
  }

  /** For one role, which is then on its own clock: how slow one is, makes no other unhurried. */
  private Leadership promptly() {
    return leadership.promptly(new Transactions(prompt), promptAnswer);
  }

  private Streams open(Supplier<List<StreamsKeeper>> keepers) {
    Streams streams = new Streams(keepers.get());
    opened.add(streams);
    return streams;
  }

  /** Takes or renews the lease, and has the roles begin that stand by. */
  private Wait lead(Duration renew) {
    boolean before = held();
    renewal.runOnce();
    if (ending) { // meanwhile: it may have taken what was just given up
      renewal.giveUp();
    }
    if (held()) {
      if (!before) {
        stayAwake();
      }
      roles.forEach(RoleLoop::allowed);
    }
    return Wait.of(renew);
  }

  /**
   * How long the roles rest that look after rows which somebody may have lost, where there are
   * none. Not so long that the reaper takes its own rest for a time in which it saw no beats.
   */
  private static Duration rest(Timing timing) {
    return min(timing.lease().dividedBy(4), timing.scan().multipliedBy(SCANS_OF_A_REST));
  }

  private Wait reap(Reaper reaper, Duration scan, Duration rest) {
    boolean onTheirWay = look.onTheirWay();
    Reaper.Result result = reaper.runOnce(onTheirWay);
    log.trace("{}", result);
    return onTheirWay || !result.quiet() ? Wait.of(scan) : Wait.rest(rest);
  }

  private Wait reconcile(Reconciler reconciler, Duration scan, Duration rest) {
    boolean onTheirWay = look.onTheirWay();
    log.trace("{}", reconciler.runOnce(onTheirWay));
    return onTheirWay ? Wait.of(scan) : Wait.rest(rest);
  }

  /** Less often where no deltas have come since. */
  private Wait compact(DepthCompactor compactor) {
    DepthCompactor.Result result = compactor.runOnce();
    log.trace("{}", result);
    boolean onTheirWay = look.onTheirWay();
    compactWait =
        onTheirWay || result.rows() > 0
            ? COMPACT_EVERY
            : min(compactWait.multipliedBy(2), COMPACT_REST);
    return onTheirWay ? Wait.of(compactWait) : Wait.rest(compactWait);
  }

  private Wait expire(Expirer expirer, Duration every) {
    if (!look.expiring()) {
      return Wait.rest(REST);
    }
    Expirer.Result result = expirer.runOnce();
    log.trace("{}", result);
    if (result.expired() > 0) {
      heard(); // their webhooks are due
    }
    return Wait.of(every);
  }

  private Wait feed(Feeder feeder) {
    boolean news = feedNews.getAndSet(false);
    if (!news && !look.onTheirWay()) {
      return Wait.rest(REST);
    }
    Feeder.Result result = feeder.runOnce();
    if (result.direct() > 0) {
      bell.ring();
    }
    return Wait.of(result.batches() + result.direct() > 0 ? FEED_BUSY : FEED_IDLE);
  }

  private static Wait after(Object result, Duration wait) {
    log.trace("{}", result);
    return Wait.of(wait);
  }

  private static Wait next(Retention.Result result) {
    log.trace("{}", result);
    return result.more()
        ? Wait.of(RETAIN_BUSY)
        : afterLocks(result.lockFailures() > 0, RETAIN_EVERY);
  }

  /** Long after a lock that was not to be had, and not at the same time as others. */
  private static Wait afterLocks(boolean failed, Duration otherwise) {
    return Wait.of(
        failed
            ? LOCKED_WAIT.plusMillis(ThreadLocalRandom.current().nextLong(LOCKED_WAIT.toMillis()))
            : otherwise);
  }

  private static Duration min(Duration a, Duration b) {
    return a.compareTo(b) < 0 ? a : b;
  }

  /** Whether this process is the leader now, and all its roles are there. */
  public boolean held() {
    return leadership.held() && !ending;
  }

  public void start() {
    roles.forEach(RoleLoop::start);
  }

  /** One of the roles is lost: the others end, and somebody else may lead at once. */
  private void standDown() {
    end();
    renewal.giveUp();
  }

  private void end() {
    ending = true; // first of all: a renewal under way gives back what it takes
    roles.forEach(RoleLoop::stop);
  }

  public List<LoopThread> threads() {
    return roles.stream().map(RoleLoop::thread).toList();
  }

  private RoleLoop addAlways(String name, Turn turn) {
    RoleMeters meters = new RoleMeters(metrics, name, () -> true);
    return add(new RoleLoop(name, () -> true, () -> take(name, turn, meters), this::standDown));
  }

  private RoleLoop add(String name, Turn turn) {
    RoleMeters meters = new RoleMeters(metrics, name, this::held);
    return add(new RoleLoop(name, this::held, () -> take(name, turn, meters), this::standDown));
  }

  private RoleLoop add(RoleLoop role) {
    roles.add(role);
    return role;
  }

  private Wait take(String name, Turn turn, RoleMeters meters) {
    try {
      long began = System.nanoTime();
      Wait wait = turn.run();
      meters.turned(began);
      return wait;
    } catch (Leadership.LostException e) {
      log.debug("{}: {}", name, e.getMessage());
    } catch (DatabaseException e) {
      log.debug("{}: {}", name, e.getMessage());
      meters.failed();
      if (e.fault() == Pg.Fault.CONNECTION) {
        leadership.doubt();
      }
      return Wait.of(AWAY_LEAST.plusMillis(ThreadLocalRandom.current().nextLong(AWAY_MORE_MILLIS)));
    } catch (RuntimeException e) {
      log.error("{} failed in a way it must not", name, e);
      meters.failed();
    }
    return Wait.of(FEED_IDLE);
  }

  private void feedNews() {
    feedNews.set(true);
    feeder.wake();
    bell.ring();
  }

  /**
   * Something was left in PostgreSQL, by whichever process, or one has died: looks now, and often
   * for a while.
   */
  public void heard() {
    if (held()) {
      stayAwake();
      promoter.wake();
      reaper.work();
    }
  }

  /** What operators set has changed: what was held back may go on. */
  public void flowChanged() {
    if (held()) {
      resumer.work();
      feedNews();
    }
  }

  private void stayAwake() {
    awakeUntilNanos = System.nanoTime() + Bell.AWAKE_NANOS;
  }

  /** Ends all roles and gives the lease up. */
  @Override
  public void close() {
    end();
    long until = System.nanoTime() + ROLES_END.toNanos();
    for (RoleLoop role : roles) {
      try {
        role.joinUntil(until);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    renewal.giveUp();
    prompt.close();
    opened.forEach(Streams::close);
  }
}
