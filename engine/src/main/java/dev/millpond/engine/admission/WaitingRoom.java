package dev.millpond.engine.admission;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Submits that wait until a full queue takes jobs again, for each queue in the order of their
 * arrival. Bounded in places and bytes over all queues; what does not fit in is refused at once.
 * Thread-safe; calls nobody while it is locked.
 */
final class WaitingRoom {
  /** Below the requests that a server works on at a time, so that those who wait block nobody. */
  static final int PLACES = 500;

  /** Of jobs that wait. */
  static final long BYTES = 32 << 20;

  private final Map<String, TreeMap<Long, Ticket>> queues = new HashMap<>();
  private int taken;
  private long bytes;
  private boolean closed;

  /** A submit, and the queue for which it waits. */
  record Waiting(String queue, Ticket ticket) {}

  /** Takes a submit in; false when there is no place for it. */
  synchronized boolean enter(String queue, Ticket ticket) {
    if (closed || taken >= PLACES || bytes + ticket.weight() > BYTES) {
      return false;
    }
    queues.computeIfAbsent(queue, name -> new TreeMap<>()).put(ticket.number(), ticket);
    taken++;
    bytes += ticket.weight();
    return true;
  }

  /** The first who waits for a queue leaves the room; null for nobody. */
  synchronized @Nullable Ticket next(String queue) {
    TreeMap<Long, Ticket> waiting = queues.get(queue);
    if (waiting == null) {
      return null;
    }
    Ticket first = waiting.firstEntry().getValue();
    leave(new Waiting(queue, first));
    return first;
  }

  /** Leaves the room; false when somebody else has seen to that. */
  synchronized boolean leave(Waiting who) {
    TreeMap<Long, Ticket> waiting = queues.get(who.queue());
    if (waiting == null || waiting.remove(who.ticket().number()) == null) {
      return false;
    }
    if (waiting.isEmpty()) {
      queues.remove(who.queue());
    }
    taken--;
    bytes -= who.ticket().weight();
    return true;
  }

  /** Whether somebody waits for a queue. */
  synchronized boolean waits(String queue) {
    return queues.containsKey(queue);
  }

  /** The queues that somebody waits for. */
  synchronized List<String> queues() {
    return List.copyOf(queues.keySet());
  }

  /** All who wait. */
  synchronized List<Waiting> all() {
    List<Waiting> all = new ArrayList<>(taken);
    queues.forEach((queue, waiting) ->
        waiting.values().forEach(ticket -> all.add(new Waiting(queue, ticket))));
    return all;
  }

  /** How many wait. */
  synchronized int taken() {
    return taken;
  }

  /** Nobody comes in any more. */
  synchronized void close() {
    closed = true;
  }
}
