package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.Work.Answer;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** A process: a writer and a sender, and, as its role says, a worker or the maintenance roles. */
final class Node {
  final World world;
  final String name;
  final boolean leads;
  final @Nullable Worker worker;
  final HotLane hot;
  final ColdLane cold;
  final Sender sender;
  long pausedUntil;
  boolean alive = true;

  /** The identity under which it holds jobs: new at each start, and after a fence. */
  int session;

  Node(World world, String name, boolean works, boolean leads) {
    this.world = world;
    this.name = name;
    this.leads = leads;
    this.session = world.nextSession();
    this.hot = new HotLane(this);
    this.cold = new ColdLane(this);
    this.sender = new Sender(this);
    this.worker = works ? new Worker(this) : null;
  }

  Node start() {
    world.tasks.add(hot);
    world.tasks.add(cold);
    world.tasks.add(sender);
    if (worker != null) {
      worker.start();
    }
    if (leads) {
      world.tasks.add(new Maintenance(this));
    }
    return this;
  }

  void write(Portion portion) {
    if (portion.plain()) {
      hot.put(new HotLane.Piece.Finish(portion));
    } else {
      cold.put(portion);
    }
  }

  /** As Writer.reoffer: one that a lock keeps out is offered again, one that is refused is not. */
  void refused(Portion portion, Answer why) {
    if (why == Answer.LOCK) {
      world.later(this, 1 + world.random.nextInt(500), () -> cold.put(portion));
    } else {
      TreeSet<Integer> lost = new TreeSet<>();
      portion.ends().forEach(end -> lost.add(end.job()));
      world.later(this, 1, () -> portion.then().accept(new Portion.Written(true, lost)));
    }
  }

  /** Ends at once, between any two of its steps. */
  void die() {
    if (alive) {
      alive = false;
      world.tasks.removeIf(task -> task.owner == this && !(task instanceof Work));
      world.pg.clientGone(this);
      world.tasks.removeIf(task -> task.owner == this);
    }
  }

  /** Ends in good order. */
  void drain() {
    if (worker != null && alive) {
      worker.drain();
    }
  }
}
