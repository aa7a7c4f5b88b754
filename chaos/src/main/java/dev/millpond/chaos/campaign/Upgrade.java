package dev.millpond.chaos.campaign;

import dev.millpond.chaos.campaign.Finding.Rule;
import dev.millpond.chaos.fleet.Fleet;
import dev.millpond.chaos.fleet.FleetPlan;
import dev.millpond.chaos.fleet.HandlerJar;
import dev.millpond.chaos.fleet.Member;
import dev.millpond.chaos.fleet.Shell;
import dev.millpond.chaos.fleet.Version;
import dev.millpond.chaos.fleet.Wiring;
import dev.millpond.chaos.journal.Asked;
import dev.millpond.chaos.journal.Journal;
import dev.millpond.chaos.journal.Ledger;
import dev.millpond.chaos.journal.RecordClock;
import dev.millpond.chaos.journal.Run;
import dev.millpond.chaos.load.Clients;
import dev.millpond.chaos.store.Tables;
import dev.millpond.chaos.work.ChaosHandlers;
import dev.millpond.chaos.work.Work;
import dev.millpond.server.config.Role;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * A fleet of another version at work, its schema migrated by this version, its processes replaced
 * one by one, one of them put back; then all that was asked for is checked. Used once.
 */
public final class Upgrade implements AutoCloseable {
  private static final int CLIENTS = 6;
  private static final int AHEAD_SECONDS = 3;
  private static final int JOBS_MOST = 1_000_000;
  private static final long LOOK_MILLIS = 100;

  /** After a process was replaced, before the next one is. */
  private static final Duration BETWEEN = Duration.ofSeconds(3);

  /** What a process says of a schema that is not its own, and its exit code. */
  private static final String OF_SCHEMA = "schema|migrations";

  private static final int REFUSED = 2;

  private final Plan plan;
  private final Watcher watcher;
  private final Fleet fleet;
  private final RecordClock clock;
  private final Tables tables;
  private final Journal journal;
  private final Ledger ledger;
  private final Clients clients;
  private final Steering steering;
  private final List<Finding> findings = new ArrayList<>();
  private final Map<String, Object> figures = new LinkedHashMap<>();

  /** What was done when, by the clock of the records. */
  private final Map<String, long[]> steps = new LinkedHashMap<>();

  private volatile long ended;
  private volatile boolean over;

  /**
   * What to do.
   *
   * @param before the version to begin with
   * @param size of the fleet
   * @param rate jobs a second
   * @param steady how long all is left alone before, between and after the steps
   */
  public record Plan(
      long seed, Version before, FleetPlan.Size size, int slots, int rate, Duration steady) {
    /** Jobs of the limited queue at a time, as a campaign of that rate has it. */
    public int limitedAtOnce() {
      return Math.max(3, rate / 60);
    }
  }

  /**
   * What it has come to.
   *
   * @param figures by name, in an order to read them in
   */
  public record Outcome(Verdict verdict, Map<String, Object> figures) {}

  private Upgrade(Plan plan, CampaignFolder folder, Watcher watcher, Fleet fleet, RecordClock clock)
      throws IOException, SQLException {
    this.plan = plan;
    this.watcher = watcher;
    this.fleet = fleet;
    this.clock = clock;
    this.journal = Journal.open(folder.journal(), clock);
    this.tables = new Tables(fleet.pgUrl());
    this.ledger = new Ledger(folder.ledger());
    this.clients =
        new Clients(
            new Clients.Plan(
                plan.seed(), JOBS_MOST, plan.rate(), plan.rate() * AHEAD_SECONDS, false, CLIENTS),
            journal,
            fleet.members(Role.API),
            () -> ended);
    this.steering = new Steering(plan.seed(), fleet.members(Role.API));
    tables.prepare();
  }

  /** Starts the servers, with the schema of the version before; {@link #run} is next. */
  public static Upgrade open(Plan plan, CampaignFolder folder, Watcher watcher)
      throws IOException, SQLException {
    RecordClock clock = RecordClock.begin();
    FleetPlan fleetPlan =
        new FleetPlan(
            folder.data(),
            plan.size(),
            "default",
            plan.slots(),
            Map.of(
                ChaosHandlers.ledgerSetting(),
                folder.ledger().toString(),
                RecordClock.SETTING,
                clock.setting()),
            HandlerJar.write(
                folder.data().resolve("handlers.jar"),
                ChaosHandlers.class,
                ChaosHandlers.classes()),
            Set.of());
    Fleet fleet = Fleet.start(fleetPlan, Wiring::direct, plan.before());
    try {
      return new Upgrade(plan, folder, watcher, fleet, clock);
    } catch (IOException | SQLException | RuntimeException e) {
      fleet.close();
      throw e;
    }
  }

  /** Runs it. */
  public Outcome run() throws InterruptedException, IOException, SQLException {
    String schema = tables.schema();
    watcher.says("schema %s, fleet %s of the version before".formatted(schema, plan.size()));
    fleet.startMembers(member -> true);
    Thread looker = Thread.ofPlatform().name("looker").daemon(true).start(this::look);
    steering.limit(Work.LIMITED_QUEUE, plan.limitedAtOnce(), plan.rate());
    clients.start();
    steering.start();
    step("before", () -> TimeUnit.NANOSECONDS.sleep(plan.steady().toNanos()));
    refuses("this version with the schema before", Version.own());
    step("migrate", () -> fleet.migrate(Version.own()));
    figures.put("schema", schema + " to " + tables.schema());
    step("before, migrated", () -> TimeUnit.NANOSECONDS.sleep(plan.steady().toNanos()));
    refuses("the version before with the new schema", plan.before());
    replaceAll();
    step("after", () -> TimeUnit.NANOSECONDS.sleep(plan.steady().toNanos()));
    steering.end();
    clients.stop();
    FleetEnd.awaitJobs(tables, watcher, LOOK_MILLIS);
    steering.close();
    over = true;
    looker.join();
    return judged();
  }

  /** Something that is done to the fleet. */
  private interface Step {
    void take() throws InterruptedException;
  }

  private void step(String name, Step step) throws InterruptedException {
    long from = clock.millis();
    step.take();
    steps.put(name, new long[] {from, clock.millis()});
    watcher.says("%s: %d ms".formatted(name, clock.millis() - from));
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
    }
  }

  /** Maintenance first, then workers, then api, as the documentation has it. */
  private void replaceAll() throws InterruptedException {
    boolean putBack = false;
    for (Role role : List.of(Role.MAINTENANCE, Role.WORKER, Role.API)) {
      for (Member member : fleet.members(role)) {
        step("replace " + member.name(), () -> replace(member, Version.own()));
        if (role == Role.WORKER && !putBack) {
          putBack = true;
          step("put back " + member.name(), () -> putBack(member));
        }
        TimeUnit.NANOSECONDS.sleep(BETWEEN.toNanos());
      }
    }
  }

  private void replace(Member member, Version version) throws InterruptedException {
    drained(member);
    fleet.upgrade(member, version);
    member.start();
    member.awaitUp(Fleet.UP_PATIENCE);
  }

  /** It refuses, and nothing is lost by it. */
  private void putBack(Member member) throws InterruptedException {
    drained(member);
    refuses("a process that is put back", plan.before());
    member.start();
    member.awaitUp(Fleet.UP_PATIENCE);
  }

  private void drained(Member member) {
    Optional<Integer> code = member.terminate(fleet.stopPatience());
    if (code.isEmpty() || code.get() != 0) {
      defect(member.name() + " was to be replaced, and ended with " + code);
    }
  }

  private void refuses(String who, Version version) {
    Shell.Ran ran = fleet.attempt(Role.WORKER, version);
    String last = ran.output().lines().reduce("", (a, b) -> b);
    watcher.says("%s: exit code %d, %s".formatted(who, ran.code(), last));
    figures.put(who, "exit code " + ran.code() + ": " + last);
    if (ran.code() != REFUSED || !last.matches(".*(" + OF_SCHEMA + ").*")) {
      defect(who + " was to refuse to start, and ended with " + ran.code() + ": " + last);
    }
  }

  private void defect(String what) {
    findings.add(new Finding(Rule.DEFECT, what));
  }

  private Outcome judged() throws SQLException {
    Collection<Asked> asked = journal.requests();
    List<Run> runs = ledger.runs();
    Checks checks = new Checks(plan.seed(), plan.limitedAtOnce(), asked, runs, tables.payments());
    List<Long> endedMillis = new ArrayList<>();
    tables.jobs(row -> {
      checks.job(row);
      if (row.endedAt() != null) {
        endedMillis.add(row.endedAt().toEpochMilli());
      }
    });
    endedMillis.sort(null);
    findings.addAll(FleetEnd.end(fleet, journal, steering, clients));
    lookAtLogs();
    Verdict verdict = checks.verdict();
    steps.forEach((name, times) ->
        figures.put(
            name,
            String.format(
                Locale.ROOT,
                "%d ms, %d jobs ended, longest pause between two ends %d ms",
                times[1] - times[0],
                endedMillis.stream().filter(at -> at >= times[0] && at < times[1]).count(),
                pause(endedMillis, times[0], times[1]))));
    if (verdict.extraRuns() > 0 || verdict.burned() > 0) {
      defect(
          "%d runs too many, %d attempts used up: no process was lost"
              .formatted(verdict.extraRuns(), verdict.burned()));
    }
    return new Outcome(verdict.and(findings), figures);
  }

  private void lookAtLogs() {
    Map<String, Integer> logged = new LinkedHashMap<>();
    for (Member member : fleet.members()) {
      member
          .logFrom(0)
          .lines()
          .filter(line -> line.matches("\\S+ (WARN|ERROR) .*"))
          .forEach(line -> logged.merge(level(line), 1, Integer::sum));
    }
    figures.put("lines of logs that warn", logged);
  }

  /** Level and logger of a line of a log, with the beginning of what it says. */
  private static String level(String line) {
    String said = line.substring(line.indexOf(' ') + 1).replaceAll("[0-9a-f-]{36}|\\d+", "_");
    return said.substring(0, Math.min(said.length(), 120));
  }

  /** The longest time between two ends, one of which at least is in a time. */
  private static long pause(List<Long> endedMillis, long from, long to) {
    long longest = 0;
    for (int i = 1; i < endedMillis.size(); i++) {
      if (endedMillis.get(i) >= from && endedMillis.get(i - 1) <= to) {
        longest = Math.max(longest, endedMillis.get(i) - endedMillis.get(i - 1));
      }
    }
    return longest;
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
