package dev.millpond.engine.query;

import dev.millpond.api.JobView;
import dev.millpond.api.JobView.Holder;
import dev.millpond.api.JobView.Worker;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.flow.FlowSettings;
import dev.millpond.engine.flow.Limit;
import dev.millpond.engine.flow.LimitView;
import dev.millpond.engine.flow.Pause;
import dev.millpond.engine.flow.Pause.Scope;
import dev.millpond.engine.flow.Pauses;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Says what keeps a job from running. Pure, and by the same functions of the settings as those that
 * decide.
 */
public final class WhyRules {
  /** So long after its time a job may still wait for the next look of the promoter. */
  static final Duration PROMOTED_WITHIN = Duration.ofSeconds(5);

  private WhyRules() {}

  /**
   * What is known of a job, as of one moment.
   *
   * @param job with its holder
   * @param workers live ones that take jobs of its kind
   * @param draining live ones that have its kind and take nothing
   * @param limits of its queue and its kind, where they have some, with who takes part of them
   * @param ahead jobs of its class before it
   * @param moreAhead whether there are more than were counted
   * @param now by the database's clock
   */
  public record Facts(
      JobView job,
      int workers,
      int draining,
      Map<Scope, LimitView> limits,
      long ahead,
      boolean moreAhead,
      Instant now) {}

  /** What holds it. */
  public static Why of(Facts facts, FlowSettings flow) {
    JobView job = facts.job();
    List<Hold> holds =
        switch (job.state()) {
          case SUCCEEDED, CANCELLED, DEAD -> List.of(new Hold.Over(job.state()));
          case RUNNING -> List.of(new Hold.Running());
          case SCHEDULED -> scheduled(facts, flow);
          case RUNNABLE, WAITING -> runnable(facts, flow);
        };
    String next = job.nextStep();
    return new Why(job.id(), job.state(), holds, next == null ? "" : next);
  }

  private static List<Hold> scheduled(Facts facts, FlowSettings flow) {
    JobView job = facts.job();
    List<Hold> holds = new ArrayList<>();
    Instant runAt = job.timing().runAt();
    if (runAt != null && runAt.isAfter(facts.now())) {
      holds.add(new Hold.Delayed(runAt, job.attempt(), "retry".equals(job.waitReason())));
    } else if (runAt != null && runAt.plus(PROMOTED_WITHIN).isBefore(facts.now())) {
      holds.add(new Hold.Overdue(runAt));
    }
    holds.addAll(pauses(job, flow.pauses())); // then it would wait for their end
    addNoWorker(facts, holds);
    if (holds.isEmpty()) {
      holds.add(new Hold.NextInLine(facts.workers()));
    }
    return holds;
  }

  private static List<Hold> runnable(Facts facts, FlowSettings flow) {
    JobView job = facts.job();
    List<Hold> holds = new ArrayList<>(pauses(job, flow.pauses()));
    Holder holder = job.holder();
    Worker worker = holder == null ? null : holder.worker();
    Instant claimedAt = holder == null ? null : holder.claimedAt();
    if (worker != null && claimedAt != null) {
      holds.add(new Hold.Claimed(name(worker), claimedAt));
      return holds;
    }
    addLimits(facts, holds);
    addNoWorker(facts, holds);
    if (facts.ahead() > 0) {
      holds.add(
          new Hold.Behind(
              job.request().queue(),
              job.request().priorityClass(),
              facts.ahead(),
              facts.moreAhead(),
              percent(flow, job.request().queue(), job.request().priorityClass())));
    }
    if (holds.isEmpty()) {
      holds.add(new Hold.NextInLine(facts.workers()));
    }
    return holds;
  }

  /** The share of a class by the weights of its queue. */
  private static int percent(FlowSettings flow, String queue, String priorityClass) {
    Map<String, Integer> weights = flow.classWeights(queue);
    long all = weights.values().stream().mapToLong(Integer::longValue).sum();
    int weight = flow.classWeight(new Lane(queue, priorityClass));
    return (int)
        Math.round(100.0 * weight / (weights.containsKey(priorityClass) ? all : all + weight));
  }

  private static List<Hold> pauses(JobView job, Pauses pauses) {
    List<Hold> holds = new ArrayList<>();
    add(holds, pauses.of(Scope.QUEUE, job.request().queue()));
    add(holds, pauses.of(Scope.KIND, job.request().kind()));
    for (String tag : job.request().options().tags()) {
      add(holds, pauses.of(Scope.TAG, tag));
    }
    return holds;
  }

  private static void addLimits(Facts facts, List<Hold> holds) {
    facts
        .limits()
        .forEach((scope, view) -> {
          Limit limit = view.limit();
          if (limit == null) {
            return;
          }
          String name =
              scope == Scope.QUEUE ? facts.job().request().queue() : facts.job().request().kind();
          Integer concurrency = limit.concurrency();
          if (concurrency != null && view.running() >= concurrency) {
            holds.add(new Hold.LimitFull(scope, name, concurrency, view.holders()));
          }
          Limit.Rate rate = limit.rate();
          Double tokens = view.tokens();
          if (rate != null && tokens != null && tokens < 1) {
            double perPermit = (double) rate.per().toMillis() / rate.permits();
            long millis = (long) Math.ceil((1 - tokens) * perPermit);
            holds.add(new Hold.RateSpent(scope, name, facts.now().plusMillis(millis)));
          }
        });
  }

  private static void add(List<Hold> holds, @Nullable Pause pause) {
    if (pause != null) {
      holds.add(new Hold.Paused(pause));
    }
  }

  private static void addNoWorker(Facts facts, List<Hold> holds) {
    if (facts.workers() == 0) {
      holds.add(new Hold.NoWorker(facts.job().request().kind(), facts.draining()));
    }
  }

  private static String name(Worker worker) {
    @Nullable String host = worker.host();
    return host == null ? "Worker " + worker.id() : "Worker " + worker.id() + " on " + host;
  }
}
