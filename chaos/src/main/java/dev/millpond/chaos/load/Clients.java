package dev.millpond.chaos.load;

import dev.millpond.chaos.fleet.Member;
import dev.millpond.chaos.journal.Asked;
import dev.millpond.chaos.journal.Asked.Answer;
import dev.millpond.chaos.journal.Journal;
import dev.millpond.chaos.work.Work;
import dev.millpond.server.client.ApiClient;
import dev.millpond.server.client.Call;
import dev.millpond.server.client.Reply;
import dev.millpond.server.client.ServerAddress;
import dev.millpond.server.client.ServerProblem;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;

/**
 * Clients that submit over HTTP, as users would: single jobs and lists, with and without an
 * idempotency key, one in a hundred wrong. A request with a key is sent again until it is answered,
 * also to another API process; one without is sent once. Thread-safe.
 */
public final class Clients {
  /** Longer than an API process needs, and shorter than some faults last. */
  private static final Duration TIMEOUT = Duration.ofSeconds(4);

  /** How long a request with a key is sent again once nothing more is to be submitted. */
  private static final Duration KEY_PATIENCE = Duration.ofSeconds(60);

  private static final long AGAIN_MILLIS = 100;
  private static final long LOOK_MILLIS = 5;
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;
  private static final int LIST_MOST = 48;

  /** What waits is to be there soon, and not to cost the fleet much. */
  private static final int LIST_MOST_OF_BACKLOG = 960;

  private final Plan plan;
  private final Journal journal;
  private final List<Member> apis;
  private final LongSupplier ended;
  private final List<Thread> threads = new ArrayList<>();
  private final Map<String, AtomicLong> asking = new ConcurrentHashMap<>();
  private final Map<String, ApiClient> connections = new ConcurrentHashMap<>();
  private final List<String> defects = new CopyOnWriteArrayList<>();
  private volatile boolean stopped;
  private volatile long stoppedNanos;
  private volatile long beganNanos = System.nanoTime();

  /**
   * How much.
   *
   * @param seed of the jobs
   * @param jobs to submit in all
   * @param rate most jobs a second
   * @param ahead most jobs that are acknowledged and have not ended
   * @param backlog whether that is a backlog to build: in longer lists
   * @param threads requests at once
   */
  public record Plan(long seed, long jobs, int rate, int ahead, boolean backlog, int threads) {}

  /**
   * Clients that wait for their start.
   *
   * @param ended how many jobs have ended, about
   */
  public Clients(Plan plan, Journal journal, List<Member> apis, LongSupplier ended) {
    this.plan = plan;
    this.journal = journal;
    this.apis = List.copyOf(apis);
    this.ended = ended;
    apis.forEach(api -> asking.put(api.name(), new AtomicLong()));
  }

  /** Begins to submit. */
  public void start() {
    beganNanos = System.nanoTime();
    long already = journal.taken();
    for (int i = 0; i < plan.threads(); i++) {
      int number = i;
      threads.add(
          Thread.ofPlatform().name("client-" + i).daemon(true).start(() -> work(number, already)));
    }
  }

  /** Submits no more, and waits for nothing. */
  public void halt() {
    stoppedNanos = System.nanoTime() - KEY_PATIENCE.toNanos();
    stopped = true;
  }

  /** Submits no more; returns when all that was sent is answered or given up. */
  public void stop() throws InterruptedException {
    stoppedNanos = System.nanoTime();
    stopped = true;
    for (Thread thread : threads) {
      thread.join();
    }
    connections.values().forEach(ApiClient::close);
  }

  /** Whether all jobs of the plan have been submitted. */
  public boolean exhausted() {
    return journal.taken() >= plan.jobs();
  }

  /** Jobs in requests to an API process that it has not answered. */
  public long asking(String api) {
    AtomicLong count = asking.get(api);
    return count == null ? 0 : count.get();
  }

  /** Jobs in requests that nobody has answered. */
  public long asking() {
    return asking.values().stream().mapToLong(AtomicLong::get).sum();
  }

  /** Answers that no server may give: failures of its own, and a taken request that is wrong. */
  public List<String> defects() {
    return List.copyOf(defects);
  }

  private void work(int thread, long already) {
    try {
      while (!stopped && !exhausted()) {
        if (hasRoom(already)) {
          request(thread);
        } else {
          Thread.sleep(LOOK_MILLIS);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      defects.add("a client failed: " + e);
    }
  }

  private boolean hasRoom(long already) {
    double seconds = (System.nanoTime() - beganNanos) / 1e9;
    long taken = journal.taken() - already;
    return taken < seconds * plan.rate()
        && journal.acknowledged() - ended.getAsLong() < plan.ahead();
  }

  private void request(int thread) throws InterruptedException {
    long first;
    int count;
    SplittableRandom dice;
    synchronized (this) {
      // Split off, or a request would have the dice of the next one, one throw later.
      dice = new SplittableRandom(plan.seed() + GOLDEN * journal.taken()).split();
      int shape = dice.nextInt(10);
      count = shape < 4 ? 1 : 2 + dice.nextInt(shape < 8 ? 8 : longest());
      first = journal.take(count);
    }
    boolean keyed = dice.nextInt(3) == 0;
    boolean valid = dice.nextInt(100) > 0;
    String key = keyed ? "chaos-" + plan.seed() + "-" + first : null;
    Call call = call(first, count, valid).withIdempotencyKey(key);
    Asked asked = journal.sent(first, count, key, valid);
    submit(asked, call, thread);
  }

  private int longest() {
    return plan.backlog() ? LIST_MOST_OF_BACKLOG : LIST_MOST;
  }

  private Call call(long first, int count, boolean valid) {
    List<String> jobs = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String job = Work.of(plan.seed(), first + i).json();
      boolean wrong = !valid && i == count - 1;
      jobs.add(wrong ? job.replace("\"kind\":\"", "\"kind\":\"No Such Kind ") : job);
    }
    return count == 1
        ? Call.post("/v1/jobs", jobs.getFirst())
        : Call.post(
            "/v1/jobs/batch", jobs.stream().collect(Collectors.joining(",", "{\"jobs\":[", "]}")));
  }

  private void submit(Asked asked, Call call, int thread) throws InterruptedException {
    for (int attempt = 0; ; attempt++) {
      Member api = apis.get((thread + attempt) % apis.size());
      Reply reply = send(api, call, asked.count());
      if (understood(asked, api, reply)) {
        return;
      }
      Thread.sleep(AGAIN_MILLIS);
    }
  }

  private Reply send(Member api, Call call, int jobs) throws InterruptedException {
    AtomicLong open = asking.computeIfAbsent(api.name(), name -> new AtomicLong());
    ApiClient client =
        connections.computeIfAbsent(
            api.name(), name -> new ApiClient(new ServerAddress(api.url(), name), TIMEOUT));
    open.addAndGet(jobs);
    try {
      return client.call(call);
    } finally {
      open.addAndGet(-jobs);
    }
  }

  /** Whether the answer is one to leave it at. */
  private boolean understood(Asked asked, Member api, Reply reply) {
    boolean keyed = asked.key() != null;
    switch (reply) {
      case Reply.Done done -> taken(asked, done.json());
      case Reply.Refused refused when refused.status() == 503 -> {
        return leftAt(asked, keyed ? Answer.UNKNOWN : Answer.REFUSED);
      }
      case Reply.Refused refused -> refused(asked, refused.status(), refused.problem());
      case Reply.Denied denied -> refused(asked, denied.status(), denied.problem());
      case Reply.Unavailable away -> {
        boolean inDoubt = keyed || away.problem().members().path("inDoubt").asBoolean(true);
        return leftAt(asked, inDoubt ? Answer.UNKNOWN : Answer.REFUSED);
      }
      case Reply.Unreachable gone -> {
        return leftAt(asked, keyed || gone.inDoubt() ? Answer.UNKNOWN : Answer.REFUSED);
      }
      case Reply.Failed failed -> {
        defects.add(api.name() + ": " + failed.status() + " " + failed.problem().detail());
        journal.answered(asked, Answer.UNKNOWN, List.of());
      }
      case Reply.Foreign foreign -> {
        defects.add(api.name() + ": " + foreign.status() + ", " + foreign.why());
        journal.answered(asked, Answer.UNKNOWN, List.of());
      }
    }
    return true;
  }

  /**
   * A request with a key is sent again, as long as there is time: what it was told is no answer.
   */
  private boolean leftAt(Asked asked, Answer answer) {
    if (asked.key() != null && !givenUp()) {
      return false;
    }
    journal.answered(asked, answer, List.of());
    return true;
  }

  private void taken(Asked asked, JsonNode body) {
    List<UUID> ids = new ArrayList<>();
    if (body.has("jobs")) {
      body.path("jobs").forEach(job -> ids.add(UUID.fromString(job.path("id").asString(""))));
    } else {
      ids.add(UUID.fromString(body.path("id").asString("")));
    }
    if (!asked.valid() || ids.size() != asked.count()) {
      defects.add("request " + asked.first() + " was answered with " + body);
    }
    journal.answered(asked, Answer.OK, ids);
  }

  private void refused(Asked asked, int status, ServerProblem problem) {
    if (asked.valid()) {
      defects.add(
          "request %d was refused: %d %s".formatted(asked.first(), status, problem.detail()));
    }
    journal.answered(asked, Answer.REFUSED, List.of());
  }

  private boolean givenUp() {
    return stopped && System.nanoTime() - stoppedNanos > KEY_PATIENCE.toNanos();
  }
}
