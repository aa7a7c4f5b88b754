package dev.millpond.engine.maintenance;

import com.zaxxer.hikari.HikariDataSource;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.Sizing;
import dev.millpond.engine.Timing;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.KindPace;
import dev.millpond.engine.dispatch.Lanes;
import dev.millpond.engine.dispatch.streams.StreamsKeeper;
import dev.millpond.engine.lifecycle.store.DatabaseException;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.maintenance.store.LookStore;
import dev.millpond.engine.maintenance.store.LookStore.Look;
import dev.millpond.engine.metrics.EngineMetrics;
import dev.millpond.engine.query.RestingCounts;
import dev.millpond.engine.threads.LoopThread;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
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

  /** After {@link #PROMOTE_RESTS_AFTER} looks in a row that found nothing due: ten seconds. */
  private static final Duration PROMOTE_REST = Duration.ofMillis(200);

  private static final int PROMOTE_RESTS_AFTER = 100;
  private static final Duration FULL_LOOK = Duration.ofSeconds(2);
  private static final int FULL_LOOK_SHARE = 20;
  private static final Duration FEED_BUSY = Duration.ofMillis(20);
  private static final Duration FEED_IDLE = Duration.ofMillis(250);

  /** After a fault of the database, so that the roles do not come back all at once. */
  private static final Duration AWAY_LEAST = Duration.ofMillis(125);

  private static final long AWAY_MORE_MILLIS = 500;
  private static final Duration COMPACT_EVERY = Duration.ofSeconds(1);
  private static final Duration SAMPLE_EVERY = Duration.ofSeconds(5);
  private static final Duration EXPIRE_EVERY = Duration.ofSeconds(1);
  private static final Duration TIDY_EVERY = Duration.ofSeconds(30);
  private static final Duration PARTITIONS_EVERY = Duration.ofMinutes(10);
  private static final Duration RETAIN_EVERY = Duration.ofMinutes(1);
  private static final Duration RETAIN_BUSY = Duration.ofMillis(250);
  private static final Duration LOCKED_WAIT = Duration.ofSeconds(10);

  /** How long all roles together may take to end; one on a dead connection takes longer. */
  private static final Duration ROLES_END = Duration.ofSeconds(5);

  private final Leadership leadership;
  private final HikariDataSource prompt;
  private final Leadership renewal;
  private final List<LoopThread> roles = new ArrayList<>();
  private final List<Streams> opened = new ArrayList<>();
  private final Semaphore feedNews = new Semaphore(0);
  private final CountDownLatch stop = new CountDownLatch(1);

  /** When the next look is at everything. */
  private long fullLookAtNanos = System.nanoTime();

  /** Whether the last full look found dispatch rows: it says so until the next one. */
  private boolean olderOnTheirWay;

  /** Looks of the promoter's in a row that found nothing due. */
  private int nothingDue;

  /** Whether the feeder has skipped its turn, since there were no rows. */
  private volatile boolean feederRests;

  /** What there was to do when the promoter last looked, a fifth of a second ago at most. */
  private volatile Look look = Look.UNKNOWN;

  /** A role's turn, which says how long to wait for the next. */
  private interface Turn {
    Duration run();
  }

  /**
   * @param holder identity of this process as a leader
   * @param keepers opens a set of keepers, one for each role that talks to Redis
   */
  public Maintenance(
      Transactions transactions,
      UUID holder,
      Supplier<List<StreamsKeeper>> keepers,
      Lanes lanes,
      BatchMaker maker,
      KindPace pace,
      MillpondConfig config,
      EngineMetrics metrics) {
    Timing timing = config.timing();
    Duration lease = timing.lease().dividedBy(3);
    lease = lease.compareTo(LEADER_LEASE_MIN) < 0 ? LEADER_LEASE_MIN : lease;
    lease = lease.compareTo(LEADER_LEASE_MAX) > 0 ? LEADER_LEASE_MAX : lease;
    this.leadership = new Leadership(transactions, holder, lease);
    this.prompt = Pg.prompt(config.pgUrl(), timing.lease(), Sizing.PROMPT_ROLES);
    this.renewal = promptly();
    Leadership looks = promptly();
    Duration renew = lease.dividedBy(4);
    Runnable fed = this::feedNews;
    Reaper reaper =
        new Reaper(
            promptly(),
            open(keepers),
            lanes,
            maker,
            metrics,
            Reaper.Config.of(timing, config.guard()),
            fed);
    Promoter promoter = new Promoter(looks, maker, pace, Promoter.Config.DEFAULT, fed);
    Feeder feeder = new Feeder(promptly(), open(keepers), Feeder.Config.DEFAULT);
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
        new QueueSampler(leadership, lanes, new RestingCounts(transactions), metrics);
    DepthCompactor compactor = new DepthCompactor(leadership);
    Expirer expirer = new Expirer(leadership, metrics, Expirer.Config.DEFAULT);
    Tidier tidier = new Tidier(leadership, Tidier.Config.DEFAULT);
    PartitionKeeper partitions = new PartitionKeeper(leadership, PartitionKeeper.Config.DEFAULT);

    Retention retention =
        new Retention(leadership, Retention.Config.of(config.retention()), metrics);

    addAlways(
        "leader",
        () -> {
          renewal.runOnce();
          if (stop.getCount() == 0) { // meanwhile: it may have taken what was just given up
            renewal.giveUp();
          }
          return renew;
        });
    add("partitions", () -> afterLocks(partitions.runOnce().locked(), PARTITIONS_EVERY));
    add("retention", () -> next(retention.runOnce()));
    add("promoter", () -> min(promote(looks, promoter), timing.scan()));
    add("reaper", () -> after(reaper.runOnce(look.onTheirWay()), timing.scan()));
    add("reconciler", () -> after(reconciler.runOnce(look.onTheirWay()), timing.scan()));
    add("compactor", () -> after(compactor.runOnce(), COMPACT_EVERY));
    addAlways("sampler", () -> after(sampler.runOnce(), SAMPLE_EVERY));
    add(
        "expirer",
        () -> after(look.expiring() ? expirer.runOnce() : look, min(EXPIRE_EVERY, timing.scan())));
    add("tidier", () -> after(tidier.runOnce(), TIDY_EVERY));
    roles.add(thread("feeder", () -> feedLoop(feeder)));
    metrics.gauge("millpond.leader", "1 while this process is the leader", () -> held() ? 1 : 0);
  }

  /** Looks for all roles, and promotes what is due; when to look again. */
  private Duration promote(Leadership looks, Promoter promoter) {
    Look last = look;
    look = Look.UNKNOWN; // until it is over: it may fail, or take long
    Look found = lookUp(looks, last);
    if (found.due()) {
      log.trace("{}", promoter.runOnce());
      nothingDue = 0;
    } else {
      look = found;
      nothingDue++;
      if (found.onTheirWay() && feederRests) {
        feedNews();
      }
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
    return new Look(found.due(), found.onTheirWay() || olderOnTheirWay, last.expiring());
  }

  /** For one role, which is then on its own clock: how slow one is, makes no other unhurried. */
  private Leadership promptly() {
    return leadership.promptly(new Transactions(prompt));
  }

  private Streams open(Supplier<List<StreamsKeeper>> keepers) {
    Streams streams = new Streams(keepers.get());
    opened.add(streams);
    return streams;
  }

  private static Duration after(Object result, Duration wait) {
    log.trace("{}", result);
    return wait;
  }

  private static Duration next(Retention.Result result) {
    log.trace("{}", result);
    return result.more() ? RETAIN_BUSY : afterLocks(result.lockFailures() > 0, RETAIN_EVERY);
  }

  /** Long after a lock that was not to be had, and not at the same time as others. */
  private static Duration afterLocks(boolean failed, Duration otherwise) {
    return failed
        ? LOCKED_WAIT.plusMillis(ThreadLocalRandom.current().nextLong(LOCKED_WAIT.toMillis()))
        : otherwise;
  }

  private static Duration min(Duration a, Duration b) {
    return a.compareTo(b) < 0 ? a : b;
  }

  /** Whether this process is the leader now, and all its roles are there. */
  public boolean held() {
    return leadership.held() && stop.getCount() > 0;
  }

  public void start() {
    roles.forEach(LoopThread::start);
  }

  private void addAlways(String name, Turn turn) {
    roles.add(thread(name, () -> loop(name, turn, false)));
  }

  private void add(String name, Turn turn) {
    roles.add(thread(name, () -> loop(name, turn, true)));
  }

  private LoopThread thread(String name, Runnable loop) {
    return new LoopThread("millpond-" + name, true, loop, this::standDown);
  }

  /** One of the roles is lost: the others end, and somebody else may lead at once. */
  private void standDown() {
    end();
    renewal.giveUp();
  }

  private void end() {
    roles.forEach(LoopThread::mayEnd);
    stop.countDown();
    feedNews();
  }

  public List<LoopThread> threads() {
    return roles;
  }

  private void loop(String name, Turn turn, boolean leaderOnly) {
    while (stop.getCount() > 0) {
      Duration wait = leaderOnly && !held() ? PROMOTE_EVERY : take(name, turn);
      pause(wait);
    }
  }

  private void feedLoop(Feeder feeder) {
    boolean news = false;
    while (stop.getCount() > 0) {
      Duration wait = FEED_IDLE;
      feederRests = !news && !look.onTheirWay();
      if (held() && !feederRests) {
        wait = take("feeder", () -> feedOnce(feeder) > 0 ? FEED_BUSY : FEED_IDLE);
      }
      try {
        news = feedNews.tryAcquire(wait.toMillis(), TimeUnit.MILLISECONDS);
        feedNews.drainPermits();
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private static int feedOnce(Feeder feeder) {
    Feeder.Result result = feeder.runOnce();
    return result.batches() + result.direct();
  }

  private Duration take(String name, Turn turn) {
    try {
      return turn.run();
    } catch (Leadership.LostException e) {
      log.debug("{}: {}", name, e.getMessage());
    } catch (DatabaseException e) {
      log.debug("{}: {}", name, e.getMessage());
      if (e.fault() == Pg.Fault.CONNECTION) {
        leadership.doubt();
      }
      return AWAY_LEAST.plusMillis(ThreadLocalRandom.current().nextLong(AWAY_MORE_MILLIS));
    } catch (RuntimeException e) {
      log.error("{} failed in a way it must not", name, e);
    }
    return FEED_IDLE;
  }

  private void feedNews() {
    if (feedNews.availablePermits() == 0) {
      feedNews.release();
    }
  }

  private void pause(Duration wait) {
    try {
      boolean ignored = stop.await(wait.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      stop.countDown();
    }
  }

  /** Ends all roles and gives the lease up. */
  @Override
  public void close() {
    end();
    long until = System.nanoTime() + ROLES_END.toNanos();
    for (LoopThread role : roles) {
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
