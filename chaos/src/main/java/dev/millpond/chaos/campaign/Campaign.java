package dev.millpond.chaos.campaign;

import dev.millpond.chaos.campaign.CampaignFolder.Healed;
import dev.millpond.chaos.campaign.CampaignFolder.Progress;
import dev.millpond.chaos.campaign.Finding.Rule;
import dev.millpond.chaos.fault.FaultKind.Ground;
import dev.millpond.chaos.fault.FaultKinds;
import dev.millpond.chaos.fault.FaultSequence;
import dev.millpond.chaos.fault.Scene;
import dev.millpond.chaos.fleet.Fleet;
import dev.millpond.chaos.fleet.FleetException;
import dev.millpond.chaos.fleet.FleetPlan;
import dev.millpond.chaos.fleet.HandlerJar;
import dev.millpond.chaos.fleet.Member;
import dev.millpond.chaos.journal.Asked;
import dev.millpond.chaos.journal.Journal;
import dev.millpond.chaos.journal.Ledger;
import dev.millpond.chaos.journal.RecordClock;
import dev.millpond.chaos.journal.Run;
import dev.millpond.chaos.load.Clients;
import dev.millpond.chaos.store.Tables;
import dev.millpond.chaos.work.ChaosHandlers;
import dev.millpond.chaos.work.Work;
import dev.millpond.engine.Timing;
import dev.millpond.server.config.Role;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One part of a campaign: fleet, clients and faults at the same time; then the faults stop, all
 * jobs end, and everything that was ever asked in this campaign is checked. Used once.
 */
public final class Campaign implements AutoCloseable {
  private static final int CLIENTS = 6;

  /**
   * Jobs ahead of the fleet: more than it has in hand, fewer than keep a part waiting for its end.
   */
  private static final int AHEAD_SECONDS = 3;

  private static final Duration WARM_UP_MOST = Duration.ofSeconds(10);
  private static final long WARM_UP_JOBS = 20;
  private static final Duration LEAST_OF_FAULTS = Duration.ofSeconds(20);
  private static final String FIRST_WORKER = "worker-1";
  private static final Duration BACKLOG_MOST = Duration.ofMinutes(2);

  /** A request that would go past the backlog has to wait. */
  private static final double BACKLOG_FULL = 0.95;

  private static final long LOOK_MILLIS = 100;

  /** Counting the open ones of so many jobs costs PostgreSQL time that they need to end. */
  private static final long MANY_JOBS = 10_000;

  private static final long LOOK_MANY_MILLIS = 1_000;

  private final CampaignFolder folder;
  private final RecordClock clock;
  private final Progress progress;
  private final CampaignPlan plan;
  private final Watcher watcher;
  private final Fleet fleet;
  private final Tables tables;
  private final Journal journal;
  private final Ledger ledger;
  private final Clients clients;
  private final Steering steering;
  private final long beganNanos = System.nanoTime();
  private final List<Finding> findings = new ArrayList<>();
  private volatile long ended;
  private volatile boolean over;
  private volatile @Nullable RuntimeException broken;

  private Campaign(
      CampaignFolder folder, Progress progress, Watcher watcher, Fleet fleet, RecordClock clock)
      throws IOException, SQLException {
    this.folder = folder;
    this.clock = clock;
    this.progress = progress;
    this.plan = progress.plan();
    this.watcher = watcher;
    this.fleet = fleet;
    this.journal = Journal.open(folder.journal(), clock);
    this.tables = new Tables(fleet.pgUrl());
    this.ledger = new Ledger(folder.ledger());
    this.clients =
        new Clients(
            new Clients.Plan(
                plan.seed(),
                plan.jobs(),
                plan.rate(),
                Math.max(plan.rate() * AHEAD_SECONDS, plan.backlog()),
                plan.backlog() > 0,
                CLIENTS),
            journal,
            fleet.members(Role.API),
            () -> ended);
    this.steering = new Steering(plan.seed(), fleet.members(Role.API));
    tables.prepare();
  }

  /** Starts the servers of a campaign; {@link #run} is next. */
  public static Campaign open(CampaignFolder folder, Watcher watcher)
      throws IOException, SQLException {
    Progress progress = folder.load();
    CampaignPlan plan = progress.plan();
    RecordClock clock = RecordClock.begin();
    FleetPlan fleetPlan =
        new FleetPlan(
            folder.data(),
            plan.size(),
            plan.timing(),
            plan.slots(),
            Map.of(
                ChaosHandlers.ledgerSetting(),
                folder.ledger().toString(),
                RecordClock.SETTING,
                clock.setting()),
            HandlerJar.write(folder.data().resolve("handlers.jar"), ChaosHandlers.class),
            FaultKinds.needs(plan.kinds()));
    Fleet fleet = Fleet.start(fleetPlan, FaultKinds.wiring(fleetPlan.equipment()));
    try {
      return new Campaign(folder, progress, watcher, fleet, clock);
    } catch (IOException | SQLException | RuntimeException e) {
      fleet.close();
      throw e;
    }
  }

  /**
   * Runs it.
   *
   * @param lasts for how long new faults come, counted from the start of the fleet, or from when
   *     there is a backlog, and for 20 s at least or as long as this; there may be fewer of them
   */
  public Result run(Duration lasts) throws InterruptedException, IOException, SQLException {
    watcher.says(
        "PostgreSQL %s, Redis %s, fleet %s, data in %s"
            .formatted(
                fleet.postgres().version(), fleet.redis().version(), plan.size(), folder.data()));
    fleet.startMembers(plan.backlog() > 0 ? Campaign::fillsBacklog : member -> true);
    ended = ledger.succeeded(); // of earlier parts as well, as those that were acknowledged
    Thread looker = Thread.ofPlatform().name("looker").daemon(true).start(this::look);
    if (plan.limits()) {
      steering.limit(Work.LIMITED_QUEUE, plan.limitedAtOnce(), plan.limitedPerSecond());
    }
    clients.start();
    long until = beganNanos + lasts.toNanos();
    if (plan.backlog() > 0) {
      awaitBacklog();
      fleet.startMembers(member -> true);
      until = System.nanoTime() + lasts.toNanos();
    }
    warmUp();
    long least = Math.min(lasts.toNanos(), LEAST_OF_FAULTS.toNanos());
    until += Math.max(0, System.nanoTime() + least - until); // however long the start took
    steering.start();
    FaultLoop loop = faults();
    long end = until;
    int next =
        loop.run(
            progress.nextFault(),
            plan.faults(),
            () -> System.nanoTime() - end > 0 || clients.exhausted() || broken != null);
    loop.problems().forEach(problem -> findings.add(new Finding(Rule.DEFECT, problem)));
    watcher.says("no more faults: all that was taken has to end");
    steering.end();
    clients.stop();
    awaitEnd();
    steering.close();
    over = true;
    looker.join();
    if (broken != null) {
      findings.add(new Finding(Rule.DEFECT, "the ledger could not be read: " + broken));
    }
    findings.addAll(FleetEnd.end(fleet, journal, steering, clients));
    return judged(loop, next);
  }

  private FaultLoop faults() {
    LiveHands hands = new LiveHands(fleet, ledger, journal, clients, tables, plan.backlog() > 0);
    Duration lease = (plan.timing().equals("fast") ? Timing.FAST : Timing.DEFAULT).lease();
    return new FaultLoop(
        new Scene(fleet, hands, tables),
        new FaultSequence(
            plan.seed(), plan.kinds(), new Ground(plan.size(), lease), leastGap(), plan.gap()),
        plan.atOnce(),
        clock,
        watcher::fault);
  }

  /** How soon dispatch is back can only be seen until the next fault. */
  private Duration leastGap() {
    return plan.backlog() > 0 ? plan.gap().dividedBy(2) : Duration.ZERO;
  }

  private void look() {
    try {
      while (!over) {
        ended = ledger.succeeded();
        watcher.progress(journal.acknowledged(), ended);
        TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      broken = e; // without it nobody knows how far the fleet is, and clients stop to submit
    }
  }

  private void warmUp() throws InterruptedException {
    long before = ledger.succeeded();
    long until = System.nanoTime() + WARM_UP_MOST.toNanos();
    while (ended - before < WARM_UP_JOBS && System.nanoTime() - until < 0) {
      TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
    }
  }

  /** One worker is enough for batches to be sent to the streams, and too few to empty them. */
  private static boolean fillsBacklog(Member member) {
    return member.role() != Role.WORKER || member.name().equals(FIRST_WORKER);
  }

  private void awaitBacklog() throws InterruptedException {
    long until = System.nanoTime() + BACKLOG_MOST.toNanos();
    while (journal.acknowledged() - ended < plan.backlog() * BACKLOG_FULL) {
      if (System.nanoTime() - until > 0 || broken != null) {
        throw new FleetException(
            "of a backlog of %d jobs there were only %d after %s; --rate and --jobs may be too low"
                .formatted(plan.backlog(), journal.acknowledged() - ended, BACKLOG_MOST));
      }
      TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
    }
  }

  private void awaitEnd() throws InterruptedException, SQLException {
    for (Member member : fleet.members()) {
      member.awaitUp(Fleet.UP_PATIENCE);
    }
    FleetEnd.awaitJobs(
        tables, watcher, journal.taken() > MANY_JOBS ? LOOK_MANY_MILLIS : LOOK_MILLIS);
  }

  private Result judged(FaultLoop loop, int next) throws SQLException, IOException {
    Collection<Asked> asked = journal.requests();
    List<Run> runs = ledger.runs();
    Checks checks =
        new Checks(
            plan.seed(), plan.limits() ? plan.limitedAtOnce() : 0, asked, runs, tables.payments());
    List<Long> endedMillis = new ArrayList<>();
    tables.jobs(row -> {
      checks.job(row);
      if (row.endedAt() != null) {
        endedMillis.add(row.endedAt().toEpochMilli());
      }
    });
    Recovery.Reader reader =
        new Recovery.Reader(
            plan.seed(), plan.backlog() > 0, loop.struck(), runs, asked, endedMillis);
    Map<Integer, Long> usedUp = UsedUp.byFault(checks.usedUp(), loop.struck());
    folder.add(
        loop.struck().stream()
            .map(struck ->
                new Healed(struck, reader.of(struck), usedUp.getOrDefault(struck.number(), 0L)))
            .toList());
    folder.save(new Progress(plan, next, progress.parts() + 1));
    List<Healed> faults = folder.faults();
    Verdict verdict = checks.verdict();
    long near = faults.stream().mapToLong(healed -> healed.struck().near()).sum();
    if (verdict.extraRuns() > near) {
      findings.add(
          new Finding(
              Rule.RUNS,
              verdict.extraRuns() + " extra runs, with " + near + " jobs in flight at the faults"));
    }
    if (verdict.acknowledged() == 0
        || faults.stream().noneMatch(healed -> healed.struck().counts())) {
      findings.add(
          new Finding(
              Rule.DEFECT,
              "nothing was tested: %d jobs, and none of %d faults hit any"
                  .formatted(verdict.acknowledged(), faults.size())));
    }
    return new Result(
        plan,
        next,
        progress.parts() + 1,
        verdict.and(findings),
        faults,
        steering.pauses(),
        Duration.ofNanos(System.nanoTime() - beganNanos));
  }

  /** Ends all processes and threads, also when it is not over; the directory stays. */
  @Override
  public void close() throws IOException {
    over = true;
    clients.halt();
    steering.close();
    fleet.close();
    journal.close();
  }
}
