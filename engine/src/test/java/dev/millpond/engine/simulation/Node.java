package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.Rows.Beat;
import dev.millpond.engine.simulation.Table.Mode;
import dev.millpond.engine.simulation.Work.Answer;
import dev.millpond.engine.simulation.Work.Said;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
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

  /** One for each server that it knows, by shard. */
  final TreeMap<Integer, Sender> senders = new TreeMap<>();

  final TreeMap<Integer, Link> links = new TreeMap<>();
  final int process;
  private Readers readers = Readers.unknown();

  long pausedUntil;
  boolean alive = true;

  /** The identity under which it holds jobs: new at each start, and after a fence. */
  int session;

  /** One that follows another of the same role, with the same servers and kinds. */
  Node(World world, String name, Node before) {
    this(
        world,
        name,
        before.worker == null ? Set.of() : before.worker.kinds,
        before.links.keySet(),
        before.leads);
  }

  /**
   * A process.
   *
   * @param kinds that it runs; none unless it is a worker
   * @param shards of the servers that it knows
   */
  Node(World world, String name, Set<Integer> kinds, Set<Integer> shards, boolean leads) {
    this.world = world;
    this.name = name;
    this.leads = leads;
    this.process = world.nextProcess();
    this.session = world.nextSession();
    this.hot = new HotLane(this);
    this.cold = new ColdLane(this);
    for (int shard : shards) {
      Link link = new Link(world, world.redis.get(shard));
      links.put(shard, link);
      senders.put(shard, new Sender(this, link));
    }
    this.worker = kinds.isEmpty() ? null : new Worker(this, kinds);
  }

  Node start() {
    world.tasks.add(hot);
    world.tasks.add(cold);
    world.tasks.addAll(senders.values());
    if (!links.isEmpty()) {
      world.tasks.add(new LookAtReaders());
    }
    if (worker != null) {
      worker.start();
    }
    if (leads) {
      world.tasks.add(new Maintenance(this));
    }
    return this;
  }

  /** By the hash of the batch's id; the next one in the list where that one is of no use. */
  int shard(Rows.Batch batch) {
    if (links.isEmpty()) {
      return 0;
    }
    List<Integer> known = List.copyOf(links.keySet());
    int first = batch.id() % known.size();
    for (int i = 0; i < known.size(); i++) {
      int shard = known.get((first + i) % known.size());
      if (carries(shard, batch.kind())) {
        return shard;
      }
    }
    return known.get(first);
  }

  /** Whether a batch of this kind may be put there. */
  boolean carries(int shard, int kind) {
    Link link = links.get(shard);
    return link != null && link.usable() && readers.read(shard, kind);
  }

  /** Shards that take new batches. */
  Set<Integer> usable() {
    Set<Integer> usable = new TreeSet<>();
    links.forEach((shard, link) -> {
      if (link.usable()) {
        usable.add(shard);
      }
    });
    return usable;
  }

  /** Shards whose streams it reads. */
  Set<Integer> read() {
    Set<Integer> read = new TreeSet<>();
    links.forEach((shard, link) -> {
      if (link.up()) {
        read.add(shard);
      }
    });
    return read;
  }

  /** Learns now and then who reads what. */
  private final class LookAtReaders extends Task {
    LookAtReaders() {
      super(Node.this);
    }

    @Override
    void step() {
      readyAt = world.now + World.READERS;
      if (!world.chaos.cutsHere()) {
        readers = Readers.read(world);
      }
    }
  }

  /** Says that a process has died: its sessions are fenced. */
  void saysDied(int other) {
    Work.interactive(world, this, "death of p" + other, answer -> {})
        .then(tx -> {
          for (long id : world.pg.session.keys()) {
            Beat beat = world.pg.session.committed(id);
            if (beat != null && beat.process() == other && !beat.died()) {
              if (!world.pg.session.lock(tx, id, Mode.NO_KEY_UPDATE)) {
                return Said.BLOCKED;
              }
              Beat now = world.pg.session.read(tx, id);
              if (now != null) {
                world.pg.session.write(tx, id, now.lost(true));
              }
            }
          }
          return Said.DONE;
        })
        .start();
  }

  /** From the stream first, then from the pending list. */
  void remove(Redis.Entry entry) {
    Sender sender = senders.get(entry.redis().shard);
    if (sender != null) {
      sender.remove(entry);
    }
  }

  void write(Portion portion) {
    if (portion.plain()) {
      hot.put(new HotLane.Piece.Finish(portion));
    } else {
      cold.put(new ColdLane.Piece.Finish(portion));
    }
  }

  /** As Writer.reoffer: one that a lock keeps out is offered again, one that is refused is not. */
  void refused(Portion portion, Answer why) {
    if (why == Answer.LOCK) {
      world.later(
          this, 1 + world.random.nextInt(500), () -> cold.put(new ColdLane.Piece.Finish(portion)));
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
