package dev.millpond.engine.flow;

import dev.millpond.api.Limits;
import dev.millpond.engine.admission.Watermarks;
import dev.millpond.engine.admission.Watermarks.Mark;
import dev.millpond.engine.dispatch.Barred;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.PriorityClasses;
import dev.millpond.engine.flow.Pause.Scope;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * All that operators have set, as of one version; immutable, and the same in every process that has
 * read this version. Its answers are pure functions, so that what the scheduler does and what is
 * shown of it cannot differ.
 *
 * @param version grows with each change
 * @param classes the configured priority classes with their weights
 * @param watermarks the configured ones
 * @param queues what was set, by queue; a queue that is missing has {@link QueueFlow#NONE}
 * @param pauses what is paused
 * @param limits of queues and kinds
 */
public record FlowSettings(
    long version,
    PriorityClasses classes,
    Watermarks watermarks,
    Map<String, QueueFlow> queues,
    Pauses pauses,
    Limited limits) {
  /** Of a queue for which none was set. */
  public static final int QUEUE_WEIGHT = 100;

  /** So many limits can be set. */
  public static final int LIMITS_MAX = 1_000;

  /** So many things can be paused at a time. */
  public static final int PAUSES_MAX = 1_000;

  public static final Duration AGING_LEAST = Duration.ofSeconds(1);
  public static final Duration AGING_MOST = Duration.ofDays(1);

  public FlowSettings {
    queues = Map.copyOf(queues);
  }

  /** Nothing was set, and no queue is ever full. */
  public static FlowSettings none(PriorityClasses classes) {
    return none(classes, Watermarks.NONE);
  }

  /** Nothing was set. */
  public static FlowSettings none(PriorityClasses classes, Watermarks watermarks) {
    return new FlowSettings(0, classes, watermarks, Map.of(), Pauses.NONE, Limited.NONE);
  }

  public QueueFlow queue(String queue) {
    return queues.getOrDefault(queue, QueueFlow.NONE);
  }

  /** Of a queue against the others. */
  public int queueWeight(String queue) {
    Integer weight = queue(queue).weight();
    return weight == null ? QUEUE_WEIGHT : weight;
  }

  /** Of a priority class against the others of its queue. */
  public int classWeight(Lane lane) {
    Integer weight = queue(lane.queue()).weights().get(lane.priorityClass());
    return weight == null ? classes.weight(lane.priorityClass()) : weight;
  }

  /** Of all priority classes of a queue, in the order of the configuration. */
  public Map<String, Integer> classWeights(String queue) {
    Map<String, Integer> weights = new LinkedHashMap<>();
    classes.names().forEach(name -> weights.put(name, classWeight(new Lane(queue, name))));
    return weights;
  }

  /** Whether nothing of this queue and kind is to be claimed as usual now. */
  public boolean bars(String queue, String kind) {
    return pauses.holds(queue, kind) || limits.holds(queue, kind);
  }

  /** The queues and kinds of which {@link #bars} says so. */
  public Barred barred() {
    Set<String> queues = new HashSet<>(pauses.names(Scope.QUEUE));
    queues.addAll(limits.queues().keySet());
    Set<String> kinds = new HashSet<>(pauses.names(Scope.KIND));
    kinds.addAll(limits.kinds().keySet());
    return new Barred(queues, kinds);
  }

  /** How long a batch of a queue may be ready before it is served first; null for no bound. */
  public @Nullable Duration aging(String queue) {
    return queue(queue).aging();
  }

  /** When a queue is full. The engine's own queues never are. */
  public Watermarks watermarks(String queue) {
    QueueFlow set = queue(queue);
    Watermarks configured = queue.startsWith(Limits.RESERVED_PREFIX) ? Watermarks.NONE : watermarks;
    return new Watermarks(
        set.jobs().equals(SetMarks.NONE) ? configured.jobs() : set.jobs().in(configured.jobs()),
        set.mib().equals(SetMarks.NONE) ? configured.bytes() : mib(set.mib(), configured.bytes()));
  }

  private static Mark mib(SetMarks set, Mark configured) {
    Mark mark = set.in(new Mark(configured.highMib(), Math.max(1, configured.lowMib())));
    return Mark.mib(mark.high(), mark.low());
  }
}
