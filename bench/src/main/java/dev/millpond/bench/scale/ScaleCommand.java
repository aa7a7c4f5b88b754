package dev.millpond.bench.scale;

import dev.millpond.bench.scale.Fleet.Layout;
import dev.millpond.bench.scale.ScaleReport.Ending;
import dev.millpond.bench.scale.ScaleReport.Fault;
import dev.millpond.bench.scale.ScaleReport.Rate;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** {@code millpond bench scale}: a fleet on several hosts, all of them on this machine. */
@Command(
    name = "scale",
    mixinStandardHelpOptions = true,
    description = {
      "Runs a fleet on several hosts: network namespaces of this machine, each with one process.",
      "Measures its rates over a direct and over slower networks, cuts hosts off and kills them,"
          + " and checks that every job ended exactly once.",
      "Needs Linux, root, ip, and an installed PostgreSQL and Redis. Two to three minutes."
    },
    footer = {"", "Exit codes: 0 ok, 1 the run was not valid, 2 usage or not possible here."})
public final class ScaleCommand implements Callable<Integer> {
  private static final int INVALID = 1;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(names = "--workers", paramLabel = "N", description = "Worker hosts; 2.")
  private int workers = 2;

  @Option(names = "--apis", paramLabel = "N", description = "Hosts that submit; 2.")
  private int apis = 2;

  @Option(names = "--shards", paramLabel = "N", description = "Redis hosts, 0 for none; 2.")
  private int shards = 2;

  @Option(
      names = "--delays",
      paramLabel = "MS",
      split = ",",
      description = "Added to each round trip, one after the other; 0,0.5,2.")
  private List<Double> delays = List.of(0.0, 0.5, 2.0);

  @Option(names = "--no-delays", description = "Direct only.")
  private boolean noDelays;

  @Option(names = "--seconds", paramLabel = "S", description = "Of each rate; 2.")
  private int seconds = 2;

  @Option(
      names = "--fault-rate",
      paramLabel = "N",
      description = "Jobs per second while hosts fail, 0 for no faults; 500.")
  private int faultRate = 500;

  @Option(names = "--json", description = "The figures as JSON on standard output.")
  private boolean json;

  @Override
  public Integer call() throws Exception {
    ScaleRun.Plan plan = plan();
    String obstacle = Hosts.obstacle();
    if (obstacle == null) {
      obstacle = HostServers.obstacle();
    }
    if (obstacle != null) {
      throw usage("cannot run here: " + obstacle);
    }
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter progress = json ? spec.commandLine().getErr() : out;
    ScaleReport report = run(plan, progress);
    if (json) {
      out.println(
          JsonMapper.builder()
              .enable(SerializationFeature.INDENT_OUTPUT)
              .build()
              .writeValueAsString(report));
    } else {
      end(out, report);
    }
    out.flush();
    return report.problems().isEmpty() ? CommandLine.ExitCode.OK : INVALID;
  }

  /** Hosts and servers go whatever happens; at Ctrl-C by the hook, while this thread waits. */
  private static ScaleReport run(ScaleRun.Plan plan, PrintWriter progress) throws Exception {
    Thread runner = Thread.currentThread();
    Object ended = new Object();
    boolean[] over = new boolean[1];
    Thread hook =
        new Thread(() -> {
          runner.interrupt();
          synchronized (ended) {
            long until = System.nanoTime() + 30_000_000_000L;
            while (!over[0] && System.nanoTime() < until) {
              try {
                ended.wait(500);
              } catch (InterruptedException e) {
                return;
              }
            }
          }
        });
    Runtime.getRuntime().addShutdownHook(hook);
    try (Hosts hosts = Hosts.create(plan.layout().all());
        HostServers servers = HostServers.start(hosts, Layout.POSTGRES, plan.layout().redis())) {
      return new ScaleRun(plan, progress).run(hosts, servers);
    } finally {
      synchronized (ended) {
        over[0] = true;
        ended.notifyAll();
      }
    }
  }

  private ScaleRun.Plan plan() {
    inRange("--workers", workers, 1, 16);
    inRange("--apis", apis, 1, 16);
    inRange("--shards", shards, 0, 16);
    inRange("--seconds", seconds, 1, 60);
    inRange("--fault-rate", faultRate, 0, 5_000);
    if (delays.size() > 10 || delays.stream().anyMatch(d -> !(d >= 0 && d <= 50))) {
      throw usage("--delays takes up to ten values of 0 to 50 ms, not " + delays);
    }
    return new ScaleRun.Plan(
        Layout.of(shards, apis, workers),
        noDelays ? List.of() : delays,
        2_000,
        seconds * 1_000L,
        faultRate);
  }

  private void inRange(String flag, int value, int least, int most) {
    if (value < least || value > most) {
      throw usage(flag + " must be " + least + " to " + most + ", is " + value);
    }
  }

  private ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  static String line(Rate rate) {
    Double trip = rate.roundTripMicros();
    return String.format(
        Locale.ROOT,
        "%-17s trip %5s µs  %-13s %7.0f jobs/s  p50 %6.2f p95 %6.2f p99 %6.2f ms  a job: %4.0f B in"
            + " %4.2f packets, %4.0f B out %4.2f",
        rate.way(),
        trip == null ? "-" : String.format(Locale.ROOT, "%.0f", trip),
        rate.load(),
        rate.jobsPerSecond(),
        rate.p50Millis(),
        rate.p95Millis(),
        rate.p99Millis(),
        rate.inBytes(),
        rate.inPackets(),
        rate.outBytes(),
        rate.outPackets());
  }

  static String line(Fault fault) {
    Double leader = fault.leaderSeconds();
    return String.format(
        Locale.ROOT,
        "%-40s jobs/s while %6.0f, after %6.0f%s",
        fault.what(),
        fault.during(),
        fault.after(),
        leader == null ? "" : String.format(Locale.ROOT, "; another leader after %.1f s", leader));
  }

  private static void end(PrintWriter out, ScaleReport report) {
    Ending ending = report.ending();
    if (ending != null) {
      out.printf(
          Locale.ROOT,
          "acknowledged %d, without an answer %d; jobs %d, ended once %d; runs %d, rescued %d%n",
          ending.acknowledged(),
          ending.unanswered(),
          ending.jobs(),
          ending.outcomes(),
          ending.runs(),
          ending.rescued());
    }
    report.problems().forEach(out::println);
    out.println(
        report.problems().isEmpty()
            ? "every job ended exactly once; the books are clean"
            : "NOT VALID");
  }
}
