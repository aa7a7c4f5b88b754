package dev.millpond.scenarios.stage;

import dev.millpond.chaos.fleet.Fleet;
import dev.millpond.chaos.fleet.FleetPlan;
import dev.millpond.chaos.fleet.HandlerJar;
import dev.millpond.chaos.fleet.Member;
import dev.millpond.chaos.fleet.Wiring;
import dev.millpond.embedded.RedisConnection;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.books.BooksReport;
import dev.millpond.scenarios.work.ScenarioHandlers;
import dev.millpond.server.config.Role;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import tools.jackson.databind.JsonNode;

/**
 * A fleet of real processes with PostgreSQL and Redis of its own, and the hands of those who use
 * it: they submit, steer and look over HTTP. Not thread-safe but for {@link #api}.
 */
public final class Stage implements AutoCloseable {
  /** Jobs of one call. */
  private static final int PAGE = 5_000;

  private static final long LOOK_MILLIS = 20;
  private static final Duration STOP = Duration.ofSeconds(40);

  private final Fleet fleet;
  private final Ledger ledger;
  private final Consumer<String> says;
  private final Api api;
  private final Millpond reader;

  /** When processes were killed, by their ids. */
  private final Map<Long, Long> deaths = new ConcurrentHashMap<>();

  private Stage(Fleet fleet, Ledger ledger, Consumer<String> says, Api api, Millpond reader) {
    this.fleet = fleet;
    this.ledger = ledger;
    this.says = says;
    this.api = api;
    this.reader = reader;
  }

  /**
   * Starts servers, and the members with the roles api and maintenance; workers come when a
   * scenario wants them.
   *
   * @param data an empty directory
   * @param slots of each worker
   * @param wiring between members and servers
   */
  public static Stage open(
      Path data, FleetPlan.Size size, int slots, Wiring.Maker wiring, Consumer<String> says)
      throws IOException, InterruptedException {
    Path runs = data.resolve("ledger");
    Fleet fleet =
        Fleet.start(
            new FleetPlan(
                data,
                size,
                "fast",
                slots,
                Map.of(ScenarioHandlers.ledgerSetting(), runs.toString()),
                HandlerJar.write(data.resolve("handlers.jar"), ScenarioHandlers.class),
                Set.of()),
            wiring);
    try {
      says.accept(
          "PostgreSQL %s, Redis %s, fleet %s"
              .formatted(fleet.postgres().version(), fleet.redis().version(), size));
      fleet.startMembers(member -> member.role() != Role.WORKER);
      Api api = new Api(fleet.members(Role.API).stream().map(Member::url).toList());
      return new Stage(fleet, new Ledger(runs), says, api, Millpond.connect(fleet.config()));
    } catch (RuntimeException e) {
      fleet.close();
      throw e;
    }
  }

  public Fleet fleet() {
    return fleet;
  }

  public Api api() {
    return api;
  }

  public Ledger ledger() {
    return ledger;
  }

  /** A gauge without labels of all members with a role, by what they serve to Prometheus. */
  public List<Double> gauges(Role role, String name) throws IOException, InterruptedException {
    List<Double> values = new ArrayList<>();
    for (Member member : fleet.members(role)) {
      values.add(api.gauge(member.url(), name));
    }
    return values;
  }

  /** Tells whoever watches. */
  public void says(String line) {
    says.accept(line);
  }

  /** Starts the workers that do not run. */
  public void startWorkers() throws InterruptedException {
    fleet.startMembers(member -> member.role() == Role.WORKER);
  }

  /**
   * Kills a worker by SIGKILL and starts another in its place.
   *
   * @return its process id
   */
  public long killWorker(String name) throws InterruptedException {
    Member worker = fleet.member(name);
    long process = worker.pid();
    worker.kill();
    deaths.put(process, System.nanoTime());
    says("killed " + name);
    worker.start();
    worker.awaitUp(Fleet.UP_PATIENCE);
    return process;
  }

  /** Takes all data from Redis. */
  public void flushRedis() throws IOException {
    try (RedisConnection redis = RedisConnection.open(fleet.redis().url())) {
      redis.command("FLUSHALL");
    }
    says("Redis has lost all of its data");
  }

  /** All runs so far; those of killed processes ended with them. */
  public List<Run> runs() throws IOException {
    return ledger.runs().stream()
        .map(run -> {
          Long died = deaths.get(run.process());
          return died == null ? run : run.cutAt(died);
        })
        .toList();
  }

  /**
   * Submits the same job so often, in large calls.
   *
   * @param job as JSON
   * @throws StageException when some were not accepted
   */
  public void submit(String job, int count) throws IOException, InterruptedException {
    for (int sent = 0; sent < count; sent += PAGE) {
      List<String> page = new ArrayList<>();
      for (int i = sent; i < Math.min(count, sent + PAGE); i++) {
        page.add(job);
      }
      api.done("POST", "/v1/jobs/batch", "[" + String.join(",", page) + "]");
    }
  }

  /** A job as JSON. */
  public static String job(
      String kind, String queue, String priorityClass, int millis, String label, String... tags) {
    return "{\"kind\":\"%s\",\"queue\":\"%s\",\"priorityClass\":\"%s\",\"tags\":%s,\"payload\":{\"millis\":%d,\"label\":\"%s\"}}"
        .formatted(
            kind,
            queue,
            priorityClass,
            List.of(tags).stream().map(tag -> "\"" + tag + "\"").toList(),
            millis,
            label);
  }

  /** Jobs of all queues that are runnable or running, as last counted. */
  public long depth() throws IOException, InterruptedException {
    long depth = 0;
    for (JsonNode queue : api.done("GET", "/v1/queues", null).path("items")) {
      depth += queue.path("depth").asLong(0);
    }
    return depth;
  }

  /**
   * Waits until so many jobs have run and nothing is left to run.
   *
   * @throws StageException when that does not come in the time
   */
  public void untilRun(long jobs, Duration within) throws Exception {
    until(
        "the end of " + jobs + " jobs",
        within,
        () -> runs().stream().map(Run::job).distinct().count() >= jobs && depth() == 0);
  }

  /**
   * Waits for something.
   *
   * @throws StageException when it does not come in the time
   */
  public void until(String what, Duration within, Callable<Boolean> condition) throws Exception {
    long until = System.nanoTime() + within.toNanos();
    while (!condition.call()) {
      if (System.nanoTime() - until > 0) {
        throw new StageException(what + " did not come within " + within);
      }
      TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
    }
  }

  /** Lets time pass while the fleet works. */
  public void watch(Duration time) throws InterruptedException {
    TimeUnit.NANOSECONDS.sleep(time.toNanos());
  }

  /** Checks the books; the fleet may be at work. */
  public BooksReport books() {
    return reader.checkBooks();
  }

  /** How many jobs have ended, by the books. */
  public Millpond reader() {
    return reader;
  }

  /**
   * Ends the fleet as a deploy would.
   *
   * @return who did not drain and exit with 0; empty when all did
   */
  public Map<String, String> stop() {
    return fleet.terminate(STOP);
  }

  @Override
  public void close() {
    api.close();
    reader.close();
    fleet.close();
  }
}
