package dev.millpond.engine.flow;

import dev.millpond.api.Limits;
import dev.millpond.engine.admission.Watermarks;
import dev.millpond.engine.admission.Watermarks.Mark;
import dev.millpond.engine.audit.store.AuditStore;
import dev.millpond.engine.dispatch.Lanes;
import dev.millpond.engine.dispatch.PriorityClasses;
import dev.millpond.engine.flow.Pause.Scope;
import dev.millpond.engine.flow.store.FlowStore;
import dev.millpond.engine.flow.store.LimitStore;
import dev.millpond.engine.flow.store.PauseStore;
import dev.millpond.engine.lifecycle.store.DatabaseException;
import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.submit.JobRules;
import dev.millpond.engine.submit.store.QueueStore;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Steers the fleet while it runs. A change is committed when the call returns, holds here from then
 * on, and in every other process within a second; it outlives all of them. Thread-safe.
 */
public final class Flow {
  private static final Logger log = LoggerFactory.getLogger(Flow.class);

  private final Transactions transactions;
  private final FlowFollower follower;
  private final Lanes lanes;

  public Flow(Transactions transactions, FlowFollower follower, Lanes lanes) {
    this.transactions = transactions;
    this.follower = follower;
    this.lanes = lanes;
  }

  /** Whether there is such a queue. */
  public boolean knows(String queue) {
    return lanes.knows(queue)
        || (JobRules.isName(queue) && transactions.callOrThrow(tx -> QueueStore.exists(tx, queue)));
  }

  /** All settings as this process knows them: of half a second ago at most. */
  public FlowSettings settings() {
    return follower.get();
  }

  /**
   * Sets weights of a queue's priority classes against each other. A queue that does not exist is
   * made, so that it can be prepared before its first job.
   *
   * @param weights 1 to {@link PriorityClasses#WEIGHT_MAX}, by class; those that are left out go
   *     back to the configured ones
   * @throws InvalidSettingException when there is no such class, or a weight is out of its range
   */
  public FlowSettings setWeights(String queue, Map<String, Integer> weights) {
    if (weights.isEmpty()) {
      throw new InvalidSettingException("/weights", "must name one class at least");
    }
    List<String> classes = follower.get().classes().names();
    weights.forEach((name, weight) -> {
      if (!classes.contains(name)) {
        throw new InvalidSettingException(
            weightPointer(name), "is no priority class; there are " + classes);
      }
      checkWeight(weightPointer(name), weight);
    });
    return change(
        queue,
        true,
        "queues.weights",
        "weights " + weights,
        tx -> {
          FlowStore.setWeights(tx, queue, weights);
          return true;
        });
  }

  /** Lets the configured weights hold again. */
  public FlowSettings resetWeights(String queue) {
    return change(
        queue,
        false,
        "queues.weights",
        "default weights",
        tx -> {
          FlowStore.setWeights(tx, queue, Map.of());
          return true;
        });
  }

  /**
   * Changes the settings of a queue, all or nothing. A queue that does not exist is made if the
   * change sets anything.
   *
   * @throws InvalidSettingException when a value is out of its range
   */
  public FlowSettings changeQueue(String queue, QueueChange change) {
    if (change.weight() instanceof Setting.To<Integer>(Integer weight)) {
      checkWeight("/weight", weight);
    }
    if (change.aging() instanceof Setting.To<Duration>(Duration aging)
        && (aging.compareTo(FlowSettings.AGING_LEAST) < 0
            || aging.compareTo(FlowSettings.AGING_MOST) > 0)) {
      throw new InvalidSettingException(
          "/aging",
          "must be "
              + FlowSettings.AGING_LEAST
              + " to "
              + FlowSettings.AGING_MOST
              + ", is "
              + aging);
    }
    return change(
        queue,
        change.sets(),
        "queues.set",
        change.toString(),
        tx -> {
          if (change.marks()) {
            checkMarks(FlowStore.marks(tx, queue), change);
          }
          FlowStore.changeQueue(tx, queue, change);
          return true;
        });
  }

  /** With what was set before: one of two marks may be changed alone. */
  private void checkMarks(QueueFlow before, QueueChange change) {
    Watermarks configured = follower.get().watermarks();
    checkMarks(
        "Watermark",
        Watermarks.MOST,
        new SetMarks(
                mark(change.highWatermark(), before.jobs().high()),
                mark(change.lowWatermark(), before.jobs().low()))
            .over(configured.jobs()),
        !(change.highWatermark() instanceof Setting.Keep<Long>));
    Mark bytes = configured.bytes();
    checkMarks(
        "WatermarkMib",
        Watermarks.MIB_MOST,
        new SetMarks(
                mark(change.highMib(), before.mib().high()),
                mark(change.lowMib(), before.mib().low()))
            .over(new Mark(bytes.highMib(), Math.max(1, bytes.lowMib()))),
        !(change.highMib() instanceof Setting.Keep<Long>));
  }

  private static void checkMarks(String name, long most, Mark mark, boolean ofHigh) {
    if (mark.marked() && (mark.high() < 2 || mark.high() > most)) {
      throw new InvalidSettingException(
          "/high" + name, "must be none, or 2 to " + most + ", is " + mark.high());
    }
    if (mark.low() < 1 || mark.low() > most) {
      throw new InvalidSettingException(
          "/low" + name, "must be 1 to " + most + ", is " + mark.low());
    }
    if (mark.marked() && mark.low() >= mark.high()) {
      throw ofHigh
          ? new InvalidSettingException(
              "/high" + name,
              "must be above the low watermark, which is " + mark.low() + "; is " + mark.high())
          : new InvalidSettingException(
              "/low" + name,
              "must be below the high watermark, which is " + mark.high() + "; is " + mark.low());
    }
  }

  private static @Nullable Long mark(Setting<Long> setting, @Nullable Long before) {
    return switch (setting) {
      case Setting.Keep<Long> ignored -> before;
      case Setting.Default<Long> ignored -> null;
      case Setting.To<Long>(Long to) -> to;
    };
  }

  /**
   * Starts no job of a queue, of a kind or with a tag any more, in the whole fleet within a second.
   * What runs goes on; what is on its way goes back and waits, and loses no attempt. A queue that
   * does not exist is made; a kind or tag need not be known yet. What is paused already gets the
   * new reason.
   *
   * @param reason why, up to {@link Remarks#REASON_MAX} characters; null for no word
   * @param by who, up to {@link Remarks#BY_MAX} characters; null for no word
   * @throws InvalidSettingException when one of them is out of its range, or {@link
   *     FlowSettings#PAUSES_MAX} are paused already
   */
  public FlowSettings pause(
      Scope scope, String name, @Nullable String reason, @Nullable String by) {
    checkName(scope, name);
    Remarks.check(by, reason);
    commit(tx -> {
      if (scope == Scope.QUEUE) {
        QueueStore.ensure(tx, name);
      }
      AuditStore.around(
          tx,
          scope.word() + "s.pause",
          name,
          () -> PauseStore.facts(tx, scope, name),
          () -> {
            PauseStore.pause(tx, scope, name, reason, by);
            return true;
          });
      if (PauseStore.count(tx) > FlowSettings.PAUSES_MAX) {
        throw new InvalidSettingException(
            "/" + scope.word(),
            "cannot be paused as well: "
                + FlowSettings.PAUSES_MAX
                + " others are, and one of them has to be resumed first");
      }
      return true;
    });
    if (scope == Scope.QUEUE) {
      lanes.learn(List.of(name));
    }
    log.info("{} {} is paused by {}: {}", scope.word(), name, by, reason);
    return follow();
  }

  /**
   * Starts its jobs again.
   *
   * @return whether it was paused
   * @throws InvalidSettingException when there can be none of that name
   */
  public boolean resume(Scope scope, String name) {
    checkName(scope, name);
    AtomicBoolean paused = new AtomicBoolean();
    commit(tx -> {
      paused.set(
          AuditStore.around(
              tx,
              scope.word() + "s.resume",
              name,
              () -> PauseStore.facts(tx, scope, name),
              () -> PauseStore.resume(tx, scope, name)));
      return true;
    });
    if (paused.get()) {
      log.info("{} {} is resumed", scope.word(), name);
    }
    follow();
    return paused.get();
  }

  /**
   * Bounds how many jobs of a queue or kind run at a time and how many start in a time, in the
   * whole fleet. What runs already counts and runs on. A queue that does not exist is made.
   *
   * @param scope queue or kind
   * @throws InvalidSettingException when a value is out of its range
   */
  public FlowSettings setLimit(Scope scope, String name, Limit limit) {
    checkName(scope, name);
    check(limit);
    commit(tx -> {
      if (scope == Scope.QUEUE) {
        QueueStore.ensure(tx, name);
      }
      AuditStore.around(
          tx,
          scope.word() + "s.limits",
          name,
          () -> LimitStore.facts(tx, scope, name),
          () -> {
            LimitStore.set(tx, scope, name, limit);
            return true;
          });
      if (LimitStore.count(tx) > FlowSettings.LIMITS_MAX) {
        throw new InvalidSettingException(
            "/" + scope.word(),
            "cannot be limited as well: " + FlowSettings.LIMITS_MAX + " others are");
      }
      return true;
    });
    if (scope == Scope.QUEUE) {
      lanes.learn(List.of(name));
    }
    log.info("{} {} is limited: {}", scope.word(), name, limit);
    return follow();
  }

  /** Lets all jobs of a queue or kind run again; whether it was limited. */
  public boolean resetLimit(Scope scope, String name) {
    checkName(scope, name);
    AtomicBoolean limited = new AtomicBoolean();
    commit(tx -> {
      limited.set(
          AuditStore.around(
              tx,
              scope.word() + "s.limits",
              name,
              () -> LimitStore.facts(tx, scope, name),
              () -> LimitStore.reset(tx, scope, name)));
      return true;
    });
    follow();
    return limited.get();
  }

  /** The limit of a queue or kind, and who takes part of it now. */
  public LimitView limit(Scope scope, String name) {
    checkName(scope, name);
    return transactions.callOrThrow(tx -> LimitStore.view(tx, scope, name));
  }

  private static void check(Limit limit) {
    Integer concurrency = limit.concurrency();
    Limit.Rate rate = limit.rate();
    if (concurrency == null && rate == null) {
      throw new InvalidSettingException("", "must have concurrency or rate, or both");
    }
    if (concurrency != null) {
      checkRange("/concurrency", concurrency, Limit.CONCURRENCY_MAX);
    }
    if (rate != null) {
      checkRange("/rate/permits", rate.permits(), Limit.PERMITS_MAX);
      checkRange("/rate/burst", rate.burst(), Limit.PERMITS_MAX);
      if (rate.per().compareTo(Limit.PER_LEAST) < 0 || rate.per().compareTo(Limit.PER_MOST) > 0) {
        throw new InvalidSettingException(
            "/rate/per",
            "must be " + Limit.PER_LEAST + " to " + Limit.PER_MOST + ", is " + rate.per());
      }
    }
  }

  private static void checkRange(String pointer, int value, int most) {
    if (value < 1 || value > most) {
      throw new InvalidSettingException(pointer, "must be 1 to " + most + ", is " + value);
    }
  }

  private void checkName(Scope scope, String name) {
    if (scope == Scope.QUEUE) {
      checkQueue(name);
    } else if (!JobRules.isName(name)) {
      throw new InvalidSettingException("/" + scope.word(), "must match " + JobRules.NAME_RULE);
    }
  }

  /** A JSON pointer escapes two characters (RFC 6901). */
  private static String weightPointer(String priorityClass) {
    return "/weights/" + priorityClass.replace("~", "~0").replace("/", "~1");
  }

  private static void checkWeight(String pointer, int weight) {
    if (weight < 1 || weight > PriorityClasses.WEIGHT_MAX) {
      throw new InvalidSettingException(
          pointer, "must be 1 to " + PriorityClasses.WEIGHT_MAX + ", is " + weight);
    }
  }

  /**
   * Makes a change of a queue.
   *
   * @param makes whether the queue is made where it does not exist; else nothing is changed there
   */
  private FlowSettings change(
      String queue,
      boolean makes,
      String action,
      String what,
      Transactions.Work<Boolean> statements) {
    checkQueue(queue);
    if (!makes && !knows(queue)) {
      return follower.get();
    }
    commit(tx -> {
      if (makes) {
        QueueStore.ensure(tx, queue);
      }
      return AuditStore.around(
          tx, action, queue, () -> FlowStore.facts(tx, queue), () -> statements.run(tx));
    });
    lanes.learn(List.of(queue));
    log.info("queue {}: set to {}", queue, what);
    return follow();
  }

  private void commit(Transactions.Work<Boolean> statements) {
    transactions.callOrThrow(tx -> {
      FlowStore.grow(tx);
      return statements.run(tx);
    });
  }

  /** What was just committed holds here from now on, as far as it can be read. */
  private FlowSettings follow() {
    try {
      follower.look();
    } catch (DatabaseException e) {
      log.debug("the change holds here as soon as it can be read: {}", e.getMessage());
    }
    return follower.get();
  }

  private void checkQueue(String queue) {
    if (!JobRules.isName(queue)) {
      throw new InvalidSettingException("/queue", "must match " + JobRules.NAME_RULE);
    }
    if (queue.startsWith(Limits.RESERVED_PREFIX) && !lanes.knows(queue)) {
      throw new InvalidSettingException("/queue", "is a reserved name, and there is no such queue");
    }
  }
}
