package dev.millpond.bench.scale;

import dev.millpond.bench.scale.Fleet.Layout;
import dev.millpond.bench.scale.HostLoad.Shape;
import dev.millpond.bench.scale.HostServers.Traffic;
import dev.millpond.bench.scale.ScaleReport.Ending;
import dev.millpond.bench.scale.ScaleReport.Fault;
import dev.millpond.bench.scale.ScaleReport.Rate;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A fleet on several hosts: its rates over a direct and over slower networks, and what becomes of
 * its jobs while hosts are cut off and lose power. Ends valid when every job ended exactly once and
 * the books are clean.
 */
final class ScaleRun {
  /** Longer than the lease of {@link HostNode#TIMING}. */
  private static final long CUT_MILLIS = 4_000;

  private static final long HEAL_MILLIS = 2_000;
  private static final long END_NANOS = 60_000_000_000L;
  private static final long LEADER_NANOS = 20_000_000_000L;
  private static final int LIST = 1_000;

  private final Plan plan;
  private final PrintWriter progress;
  private final List<String> problems = new ArrayList<>();
  private final List<Rate> rates = new ArrayList<>();
  private final List<Fault> faults = new ArrayList<>();

  /**
   * What to do.
   *
   * @param delaysMillis added to each round trip, inside the nodes, one after the other
   * @param millis of each measurement
   * @param faultRate jobs per second while hosts fail; 0 for no faults
   */
  record Plan(
      Layout layout, List<Double> delaysMillis, long warmMillis, long millis, int faultRate) {}

  private record Load(Shape shape, int size, String title) {}

  /** Sums over the fleets of a run, of those that have ended. */
  private record Sums(long acknowledged, long unanswered, long runs) {}

  ScaleRun(Plan plan, PrintWriter progress) {
    this.plan = plan;
    this.progress = progress;
  }

  ScaleReport run(Hosts hosts, HostServers servers) throws IOException, InterruptedException {
    List<String> notes =
        List.of(
            plan.layout().all().size()
                + " hosts as network namespaces of one machine with "
                + Runtime.getRuntime().availableProcessors()
                + " processors, which they share: "
                + String.join(" ", plan.layout().all()),
            "delays are added inside the nodes' processes; direct is without the means for that");
    notes.forEach(this::say);
    Sums direct;
    try (Fleet fleet = new Fleet(hosts, servers, plan.layout(), false)) {
      fleet.start();
      warmUp(fleet);
      rates(servers, fleet, "direct", null);
      if (plan.faultRate() > 0) {
        faults(hosts, fleet);
      }
      direct = ended(fleet);
      if (plan.delaysMillis().isEmpty()) {
        return new ScaleReport(notes, rates, faults, ending(fleet, direct, null), problems);
      }
    }
    try (Fleet fleet = new Fleet(hosts, servers, plan.layout(), true)) {
      fleet.start();
      warmUp(fleet);
      for (double delay : plan.delaysMillis()) {
        String command = "delay " + Math.round(delay * 1e6);
        double trip =
            fleet.askAll(fleet.hosts(), command).stream()
                    .mapToLong(NodeReport::tripNanos)
                    .max()
                    .orElse(0)
                / 1e3;
        rates(servers, fleet, String.format(Locale.ROOT, "slowed by %.1f ms", delay), trip);
      }
      fleet.askAll(fleet.hosts(), "delay 0");
      return new ScaleReport(notes, rates, faults, ending(fleet, direct, ended(fleet)), problems);
    }
  }

  private void say(String line) {
    progress.println(line);
    progress.flush();
  }

  private void warmUp(Fleet fleet) throws IOException, InterruptedException {
    say("warming up for " + 2 * plan.warmMillis() + " ms");
    for (Load load :
        List.of(new Load(Shape.LISTS, LIST, "lists"), new Load(Shape.CALLERS, 256, "callers"))) {
      begin(fleet, load);
      pause(plan.warmMillis());
      fleet.askAll(fleet.layout().apis(), "stop");
      awaitEnd(fleet);
    }
  }

  private static void begin(Fleet fleet, Load load) throws IOException, InterruptedException {
    int size =
        load.shape() == Shape.LISTS ? load.size() : load.size() / fleet.layout().apis().size();
    fleet.askAll(fleet.layout().apis(), "load " + load.shape() + " " + Math.max(1, size));
  }

  private void rates(HostServers servers, Fleet fleet, String way, @Nullable Double trip)
      throws IOException, InterruptedException {
    for (Load load :
        List.of(
            new Load(Shape.CALLERS, 64, "64 callers"),
            new Load(Shape.CALLERS, 256, "256 callers"),
            new Load(Shape.LISTS, LIST, "lists of " + LIST))) {
      begin(fleet, load);
      pause(plan.warmMillis() / 2);
      Traffic trafficBefore = servers.postgresTraffic();
      long before = fleet.completed();
      long began = System.nanoTime();
      pause(plan.millis());
      double jobs = fleet.completed() - before;
      Traffic traffic = servers.postgresTraffic().since(trafficBefore);
      double seconds = (System.nanoTime() - began) / 1e9;
      List<NodeReport> apis = fleet.askAll(fleet.layout().apis(), "stop");
      Rate rate =
          new Rate(
              way,
              trip,
              load.title(),
              jobs / seconds,
              traffic.inBytes() / jobs,
              traffic.inPackets() / jobs,
              traffic.outBytes() / jobs,
              traffic.outPackets() / jobs,
              apis.stream().mapToLong(NodeReport::p50Micros).max().orElse(0) / 1e3,
              apis.stream().mapToLong(NodeReport::p95Micros).max().orElse(0) / 1e3,
              apis.stream().mapToLong(NodeReport::p99Micros).max().orElse(0) / 1e3);
      rates.add(rate);
      say(ScaleCommand.line(rate));
      awaitEnd(fleet);
    }
  }

  private void faults(Hosts hosts, Fleet fleet) throws IOException, InterruptedException {
    say("faults, under " + plan.faultRate() + " jobs/s of 0 to 50 ms, some of 2 s");
    begin(fleet, new Load(Shape.MIXED, plan.faultRate(), "mixed"));
    pause(HEAL_MILLIS);
    String worker = fleet.layout().workers().getFirst();
    cut(hosts, fleet, worker);
    powerOff(hosts, fleet, fleet.layout().workers().getLast());
    cut(hosts, fleet, fleet.layout().apis().getFirst());
    if (!fleet.layout().redis().isEmpty()) {
      String redis = fleet.layout().redis().getLast();
      cut(hosts, fleet, redis);
      hosts.cut(worker, redis);
      watch(fleet, worker + " cannot reach " + redis, "", () -> hosts.restore(worker, redis));
    }
    cut(hosts, fleet, leader(fleet));
    powerOff(hosts, fleet, leader(fleet));
    fleet.askAll(fleet.layout().apis(), "stop");
    awaitEnd(fleet);
  }

  /** The host that leads now; there must be one soon. */
  private String leader(Fleet fleet) throws IOException, InterruptedException {
    long until = System.nanoTime() + LEADER_NANOS;
    String leader = fleet.leader();
    while (leader.isEmpty() && System.nanoTime() < until) {
      pause(50);
      leader = fleet.leader();
    }
    if (leader.isEmpty()) {
      problems.add("no host was the leader for " + LEADER_NANOS / 1_000_000_000 + " s");
      return Layout.KEEPERS.getFirst();
    }
    return leader;
  }

  private interface Step {
    void run() throws IOException, InterruptedException;
  }

  private void cut(Hosts hosts, Fleet fleet, String host) throws IOException, InterruptedException {
    hosts.cut(host);
    watch(fleet, host + " cut off for " + CUT_MILLIS + " ms", host, () -> hosts.restore(host));
  }

  /** The network goes first, so that no connection is closed in order. */
  private void powerOff(Hosts hosts, Fleet fleet, String host)
      throws IOException, InterruptedException {
    hosts.cut(host);
    fleet.kill(host);
    watch(
        fleet,
        host + " without power, started again",
        host,
        () -> {
          hosts.restore(host);
          fleet.restart(host);
        });
  }

  private void watch(Fleet fleet, String what, String host, Step heal)
      throws IOException, InterruptedException {
    boolean led = Layout.KEEPERS.contains(host);
    long began = System.nanoTime();
    long before = fleet.completed();
    Double leaderSeconds = null;
    long until = began + (led ? LEADER_NANOS : CUT_MILLIS * 1_000_000);
    while (System.nanoTime() < until && !(leaderSeconds != null && over(began))) {
      if (led && leaderSeconds == null) {
        for (String keeper : Layout.KEEPERS) {
          if (!keeper.equals(host) && fleet.ask(keeper, "state").leader()) {
            leaderSeconds = (System.nanoTime() - began) / 1e9;
          }
        }
      }
      pause(50);
    }
    if (led && leaderSeconds == null) {
      problems.add(what + ": no other leader within " + LEADER_NANOS / 1_000_000_000 + " s");
    }
    double during = (fleet.completed() - before) / ((System.nanoTime() - began) / 1e9);
    heal.run();
    long healed = System.nanoTime();
    long then = fleet.completed();
    pause(HEAL_MILLIS);
    double after = (fleet.completed() - then) / ((System.nanoTime() - healed) / 1e9);
    Fault fault = new Fault(what, during, after, leaderSeconds);
    faults.add(fault);
    say(ScaleCommand.line(fault));
  }

  private static boolean over(long began) {
    return System.nanoTime() - began > CUT_MILLIS * 1_000_000;
  }

  /** Waits until every job has its outcome. */
  private void awaitEnd(Fleet fleet) throws IOException, InterruptedException {
    long until = System.nanoTime() + END_NANOS;
    NodeReport counts = fleet.ask(Layout.CLERK, "counts");
    while (counts.outcomes() < counts.jobs() && System.nanoTime() < until) {
      pause(100);
      counts = fleet.ask(Layout.CLERK, "counts");
    }
    if (counts.outcomes() < counts.jobs()) {
      problems.add(
          counts.jobs() - counts.outcomes() + " of " + counts.jobs() + " jobs did not end");
    }
  }

  private Sums ended(Fleet fleet) throws IOException, InterruptedException {
    List<String> clerks = new ArrayList<>(fleet.layout().apis());
    clerks.add(Layout.CLERK);
    for (String host : clerks) {
      fleet.ask(host, "books").findings().forEach(f -> problems.add("books of " + host + ": " + f));
    }
    List<NodeReport> apis = fleet.askAll(fleet.layout().apis(), "state");
    return new Sums(
        apis.stream().mapToLong(NodeReport::acknowledged).sum(),
        apis.stream().mapToLong(NodeReport::unanswered).sum(),
        fleet.runs());
  }

  private Ending ending(Fleet fleet, Sums first, @Nullable Sums second)
      throws IOException, InterruptedException {
    NodeReport counts = fleet.ask(Layout.CLERK, "counts");
    Ending ending =
        new Ending(
            first.acknowledged() + (second == null ? 0 : second.acknowledged()),
            first.unanswered() + (second == null ? 0 : second.unanswered()),
            counts.jobs(),
            counts.outcomes(),
            first.runs() + (second == null ? 0 : second.runs()),
            counts.rescued());
    if (ending.jobs() != ending.outcomes()) {
      problems.add("jobs " + ending.jobs() + ", outcomes " + ending.outcomes());
    }
    if (ending.jobs() < ending.acknowledged()
        || ending.jobs() > ending.acknowledged() + ending.unanswered()) {
      problems.add(
          "acknowledged "
              + ending.acknowledged()
              + ", without an answer "
              + ending.unanswered()
              + ", but jobs "
              + ending.jobs());
    }
    return ending;
  }

  private static void pause(long millis) throws InterruptedException {
    long until = System.nanoTime() + millis * 1_000_000;
    for (long left = until - System.nanoTime(); left > 0; left = until - System.nanoTime()) {
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
      LockSupport.parkNanos(left);
    }
  }
}
