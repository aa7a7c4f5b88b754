package dev.millpond.engine.admission;

import dev.millpond.engine.admission.WaitingRoom.Waiting;
import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.threads.LoopThread;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides in this process who may come into the queues: what the lanes let into a flush, who waits
 * for room, and who is refused (ADR 31). Whoever is turned away is answered, whatever happens: by
 * his lane later, or as refused when his time is up, at the close, and when a thread of this is
 * lost. Thread-safe.
 *
 * <p>Three threads meet here. A lane asks before each flush ({@link Round}). {@link GateLooks}
 * looks at closed gates, and lets those in who wait. {@link Departures} refuses those whose time is
 * up; it never talks to PostgreSQL, so that nobody waits longer than he wants because that is away.
 */
public final class Admission implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Admission.class);

  private final Function<String, Watermarks> marks;
  private final Map<String, Gate> gates = new ConcurrentHashMap<>();
  private final WaitingRoom room = new WaitingRoom();
  private final GateLooks looks;
  private final Departures departures;

  /**
   * @param marks of a queue, as they are now
   */
  public Admission(Transactions transactions, Function<String, Watermarks> marks) {
    this.marks = marks;
    this.looks = new GateLooks(this, room, transactions);
    this.departures = new Departures(this, room);
  }

  public void start() {
    looks.start();
    departures.start();
  }

  Watermarks marks(String queue) {
    return marks.apply(queue);
  }

  Gate gate(String queue) {
    return gates.computeIfAbsent(queue, Gate::new);
  }

  /** What one lane lets in. */
  public Round round(Asker asker) {
    return new Round(this, asker);
  }

  /**
   * Which of its queues keeps a submit from going to its lane: one that is known to be closed, or
   * for which others wait already. Null for none.
   */
  public @Nullable String closed(Ticket ticket) {
    if (gates.isEmpty() || ticket.mayPass()) {
      return null;
    }
    for (Need need : ticket.needs()) {
      Gate gate = gates.get(need.queue());
      if (gate != null
          && need.counts()
          && ((marks(need.queue()).marked() && gate.closed()) || room.waits(need.queue()))) {
        return need.queue();
      }
    }
    return null;
  }

  /** A submit is not let in: it waits if it may and there is a place, otherwise it is refused. */
  public void turnAway(Ticket ticket, String queue) {
    if (ticket.waitsAt(System.nanoTime())) {
      ticket.waits();
      if (room.enter(queue, ticket)) {
        departures.came();
        looks.look();
        return;
      }
    }
    refuse(ticket, queue);
  }

  /** What goes wrong with one must not keep the others from their answers. */
  void refuse(Ticket ticket, String queue) {
    try {
      Gate gate = gate(queue);
      boolean later =
          ticket.needs().stream().anyMatch(need -> need.queue().equals(queue) && need.later() > 0);
      ticket.refuse(
          later && gate.scheduledFull() ? gate.refusedScheduled() : gate.refused(marks(queue)));
    } catch (RuntimeException e) {
      log.error("a refusal failed", e);
    }
  }

  /** Lets those in who wait for a queue, as far as there is room up to its high watermarks. */
  void letIn(String queue, Amount left) {
    Amount free = left;
    while (!free.exhausted()) {
      Ticket ticket = room.next(queue);
      if (ticket == null) {
        return;
      }
      if (!enters(ticket)) {
        turnAway(ticket, queue); // back to its place
        return;
      }
      for (Need need : ticket.needs()) {
        free = need.queue().equals(queue) ? free.minus(need.now()) : free;
      }
    }
  }

  private static boolean enters(Ticket ticket) {
    try {
      return ticket.over() || ticket.enter();
    } catch (RuntimeException e) {
      log.error("a submit could not be handed to its lane", e);
      return false;
    }
  }

  boolean scheduledFull(String queue, Asker asker) {
    Gate gate = gate(queue);
    if (!gate.known()) {
      long began = System.nanoTime();
      Answer answer = asker.ask(queue);
      if (answer != null) {
        gate.seen(answer, marks(queue), began);
      }
    }
    return gate.scheduledFull();
  }

  /** A queue may have come to its high watermark: to be looked at once. */
  void suspect(Gate gate) {
    looks.suspect(gate);
  }

  /** A question took long. */
  void slow() {
    looks.slow();
  }

  /** A gate was found closed. */
  void look() {
    looks.look();
  }

  /** Gates that are closed, or to be closed, as far as known. */
  List<Gate> closedGates() {
    return gates.values().stream()
        .filter(gate -> gate.closed() || gate.toClose(marks(gate.queue())))
        .toList();
  }

  /**
   * How long a job is in a queue that comes in now, its run included, if jobs leave it as they do;
   * empty where nothing tells, or the queue has no marks.
   */
  public OptionalDouble secondsInQueue(String queue) {
    Gate gate = gates.get(queue);
    return gate == null ? OptionalDouble.empty() : gate.secondsInQueue();
  }

  /** Submits that wait for room. */
  public int waiting() {
    return room.taken();
  }

  /** Without them nobody waits: whoever is turned away is refused at once. */
  public List<LoopThread> threads() {
    return List.of(looks.thread(), departures.thread());
  }

  /** Refuses all who wait; from now on nobody does. */
  public void refuseAll() {
    room.close();
    for (Waiting who : room.all()) {
      if (room.leave(who)) {
        refuse(who.ticket(), who.queue());
      }
    }
  }

  /** Refuses all who wait, and looks at no gate any more; lanes go on asking. */
  @Override
  public void close() {
    refuseAll();
    looks.close();
    departures.close();
  }
}
