package dev.millpond.engine.dispatch;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The lanes there are: the queues known so far, times the priority classes. And those of classes
 * that only other processes know, as far as somebody came by them. Thread-safe.
 */
public final class Lanes {
  private final PriorityClasses classes;
  private final Set<String> queues = ConcurrentHashMap.newKeySet();
  private final Set<Lane> foreign = ConcurrentHashMap.newKeySet();

  public Lanes(PriorityClasses classes) {
    this.classes = classes;
  }

  public PriorityClasses priorityClasses() {
    return classes;
  }

  /** Names of the classes, most urgent first. */
  public List<String> classes() {
    return classes.names();
  }

  public boolean knows(String queue) {
    return queues.contains(queue);
  }

  public void learn(Collection<String> names) {
    queues.addAll(names);
  }

  /** Learns of a lane, of whatever class it is. */
  public void learn(Lane lane) {
    queues.add(lane.queue());
    if (!classes.weights().containsKey(lane.priorityClass())) {
      foreign.add(lane);
    }
  }

  /** The lanes of the whole fleet: what has to be looked after, by whoever looks after it. */
  public List<Lane> ofFleet() {
    List<Lane> lanes = all();
    lanes.addAll(foreign);
    return lanes;
  }

  /** The lanes of this process: what it submits to, and what it runs. */
  public List<Lane> all() {
    List<Lane> lanes = new ArrayList<>();
    for (String queue : queues) {
      for (String priorityClass : classes.names()) {
        lanes.add(new Lane(queue, priorityClass));
      }
    }
    return lanes;
  }
}
