package dev.millpond.chaos.campaign;

import dev.millpond.chaos.fleet.Member;
import dev.millpond.chaos.work.Work;
import dev.millpond.server.client.ApiClient;
import dev.millpond.server.client.Call;
import dev.millpond.server.client.Reply;
import dev.millpond.server.client.ServerAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Operators who steer the fleet over HTTP while faults happen: a queue gets a limit, and now and
 * then a queue, a kind or a tag is paused and resumed. What is paused when, and for how long, is
 * drawn by number and seed. Used once.
 */
final class Steering implements AutoCloseable {
  private static final Duration TIMEOUT = Duration.ofSeconds(4);
  private static final long AGAIN_MILLIS = 200;
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  /** So that its dice are not those of a fault. */
  private static final long SALT = 0x57EE51;

  private static final int GAP_LEAST_MILLIS = 300;
  private static final int GAP_MORE_MILLIS = 2_000;
  private static final int PAUSED_LEAST_MILLIS = 200;
  private static final int PAUSED_MORE_MILLIS = 1_300;

  /** After its limit is set, all processes follow it within a second. */
  private static final long FOLLOWED_MILLIS = 1_000;

  /** What is paused now and then. */
  enum Target {
    QUEUE("queues", Work.PAUSED_QUEUE),
    KIND("kinds", Work.RETRY),
    TAG("tags", Work.TAG);

    private final String path;

    Target(String of, String name) {
      this.path = "/v1/" + of + "/" + name;
    }
  }

  /**
   * A pause in its place.
   *
   * @param gapMillis since the end of the one before it
   */
  record Drawn(Target target, int gapMillis, int pausedMillis) {}

  private final long seed;
  private final List<Member> apis;
  private final List<ApiClient> clients = new ArrayList<>();
  private final List<String> defects = new CopyOnWriteArrayList<>();
  private final AtomicInteger pauses = new AtomicInteger();
  private final Thread thread =
      Thread.ofPlatform().name("steering").daemon(true).unstarted(this::steer);
  private volatile boolean ending;
  private volatile boolean closed;

  Steering(long seed, List<Member> apis) {
    this.seed = seed;
    this.apis = List.copyOf(apis);
  }

  static Drawn draw(long seed, int number) {
    SplittableRandom dice = new SplittableRandom((seed ^ SALT) + GOLDEN * (number + 1L)).split();
    return new Drawn(
        Target.values()[dice.nextInt(Target.values().length)],
        GAP_LEAST_MILLIS + dice.nextInt(GAP_MORE_MILLIS),
        PAUSED_LEAST_MILLIS + dice.nextInt(PAUSED_MORE_MILLIS));
  }

  /**
   * Limits a queue; returns when the whole fleet follows.
   *
   * @param perSecond most starts in a second
   */
  void limit(String queue, int atOnce, int perSecond) throws InterruptedException {
    connect();
    String limit =
        "{\"concurrency\":%d,\"rate\":{\"permits\":%d,\"per\":\"PT1S\",\"burst\":%d}}"
            .formatted(atOnce, perSecond, perSecond);
    done(Call.put("/v1/queues/" + queue + "/limits", limit));
    TimeUnit.MILLISECONDS.sleep(FOLLOWED_MILLIS);
  }

  void start() {
    connect();
    thread.start();
  }

  private void connect() {
    if (clients.isEmpty()) {
      apis.forEach(
          api -> clients.add(new ApiClient(new ServerAddress(api.url(), api.name()), TIMEOUT)));
    }
  }

  /** Pauses nothing more; what is paused is resumed, also by a request that is done late. */
  void end() {
    ending = true;
  }

  /** Pauses so far. */
  int pauses() {
    return pauses.get();
  }

  /** Answers that no server may give. */
  List<String> defects() {
    return List.copyOf(defects);
  }

  private void steer() {
    try {
      for (int number = 0; !ending; number++) {
        Drawn drawn = draw(seed, number);
        TimeUnit.MILLISECONDS.sleep(drawn.gapMillis());
        if (!ending && done(Call.post(drawn.target().path + "/pause", "{\"by\":\"chaos\"}"))) {
          pauses.incrementAndGet();
          TimeUnit.MILLISECONDS.sleep(drawn.pausedMillis());
        }
        done(Call.post(drawn.target().path + "/resume"));
      }
      while (!closed) {
        for (Target target : Target.values()) {
          done(Call.post(target.path + "/resume"));
        }
        TimeUnit.MILLISECONDS.sleep(AGAIN_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Repeats a request until it is done; false when it is over before that. */
  private boolean done(Call call) throws InterruptedException {
    for (int attempt = 0; !closed; attempt++) {
      Reply reply = clients.get(attempt % clients.size()).call(call);
      switch (reply) {
        case Reply.Done ignored -> {
          return true;
        }
        case Reply.Refused refused when refused.status() == 503 -> {}
        case Reply.Unavailable ignored -> {}
        case Reply.Unreachable ignored -> {}
        case Reply.Refused refused -> {
          return defect(call, refused.status() + " " + refused.problem().detail());
        }
        case Reply.Denied denied -> {
          return defect(call, denied.status() + " " + denied.problem().detail());
        }
        case Reply.Failed failed -> {
          return defect(call, failed.status() + " " + failed.problem().detail());
        }
        case Reply.Foreign foreign -> {
          return defect(call, foreign.status() + ", " + foreign.why());
        }
      }
      TimeUnit.MILLISECONDS.sleep(AGAIN_MILLIS);
    }
    return false;
  }

  private boolean defect(Call call, String answer) {
    defects.add(call.verb() + " " + call.path() + " was answered with " + answer);
    return false;
  }

  /** Ends at once. */
  @Override
  public void close() {
    ending = true;
    closed = true;
    thread.interrupt();
    try {
      thread.join(TIMEOUT.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    clients.forEach(ApiClient::close);
  }
}
