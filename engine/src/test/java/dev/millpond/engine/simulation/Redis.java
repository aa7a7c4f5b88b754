package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.Rows.Batch;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A Redis server of the model, which is a shard: a stream for each lane, and claim hints. Commands
 * are atomic.
 */
final class Redis {
  /** Thrown where a command gets no answer, or an error. */
  static final class Refused extends Exception {
    private static final long serialVersionUID = 1L;

    /** What it says of the server. */
    enum Why {
      /** Nothing: the command does not fit. */
      ORDINARY,
      /** It has no memory left. */
      NO_WRITES,
      /** It is of no use, as a replica is. */
      OF_NO_USE,
      NO_ANSWER,
      /** It was not asked. */
      LEFT_ALONE
    }

    final Why why;

    Refused(Why why) {
      super(why.name(), null, false, false);
      this.why = why;
    }

    /** Whether a command was surely not executed. */
    boolean isSure() {
      return why == Why.NO_WRITES || why == Why.OF_NO_USE;
    }
  }

  /** An entry that was delivered to a process and left. */
  record Left(Entry entry, int consumer, long idle) {}

  /** An entry of a stream. */
  record Entry(Redis redis, int lane, long id, Batch batch) {}

  /** How long a claim hint lives. */
  private static final long HINT = 4 * World.SETTLE;

  private final World world;

  /** The number of its shard. */
  final int shard;

  private TreeMap<Integer, Stream> streams = new TreeMap<>();
  private Map<Integer, Long> hints = new HashMap<>();
  private long lastId;
  private boolean marked;
  boolean up = true;
  boolean readOnly;
  boolean full;

  /** Grows with each restart: a connection from before does not outlive it. */
  int starts;

  private long restoreAfter = Rows.NEVER;

  private @Nullable Redis saved;

  Redis(World world, int shard) {
    this.world = world;
    this.shard = shard;
  }

  private void mustBeUp() throws Refused {
    if (!up) {
      throw new Refused(Refused.Why.NO_ANSWER);
    }
  }

  private void mustTakeWrites() throws Refused {
    mustBeUp();
    if (readOnly) {
      throw new Refused(Refused.Why.OF_NO_USE);
    }
  }

  private void mustHaveMemory() throws Refused {
    mustTakeWrites();
    if (full) {
      throw new Refused(Refused.Why.NO_WRITES);
    }
  }

  private Stream stream(int lane) {
    return streams.computeIfAbsent(lane, Stream::new);
  }

  void add(Batch batch) throws Refused {
    add(batch, batch.lane());
  }

  /** Adds to the stream of a lane, which is the batch's unless a planted bug says otherwise. */
  void add(Batch batch, int lane) throws Refused {
    mustHaveMemory();
    put(stream(lane), batch);
    if (restoreAfter != Rows.NEVER) {
      save();
      world.later(null, restoreAfter, this::restore);
      restoreAfter = Rows.NEVER;
    }
  }

  private void put(Stream into, Batch batch) {
    long id = ++lastId;
    into.entries.put(id, new Entry(this, into.lane, id, batch));
    world.trace.add(() -> "XADD " + this + " lane " + into.lane + " " + id + " " + batch);
  }

  /** Makes the groups of lanes where they are missing, reading from the start. */
  void createGroups(List<Integer> lanes) throws Refused {
    if (!lanes.stream().allMatch(lane -> stream(lane).group)) {
      mustHaveMemory();
    }
    mustTakeWrites();
    lanes.forEach(lane -> stream(lane).createGroup());
  }

  /** XREADGROUP of undelivered entries of some lanes. */
  List<Entry> read(List<Integer> lanes, int count, int consumer) throws Refused {
    mustTakeWrites();
    List<Entry> read = new ArrayList<>();
    for (int lane : lanes) {
      if (!stream(lane).group) {
        throw new Refused(Refused.Why.ORDINARY);
      }
    }
    for (int lane : lanes) {
      read.addAll(stream(lane).read(count, consumer, world.now));
    }
    for (Entry entry : read) {
      world.trace.add(() -> "XREADGROUP " + this + " " + entry.id + " " + entry.batch);
    }
    return read;
  }

  /** SET NX of a claim hint: whether it was the first. */
  boolean hint(Batch batch) throws Refused {
    mustTakeWrites();
    if (full || world.chaos.outOfMemory()) {
      return true; // an error is no reason not to run
    }
    Long until = hints.get(batch.id());
    if (until != null && until > world.now) {
      return false;
    }
    hints.put(batch.id(), world.now + HINT);
    return true;
  }

  void delete(Entry entry) throws Refused {
    mustTakeWrites();
    stream(entry.lane).entries.remove(entry.id);
  }

  void ack(Entry entry) throws Refused {
    mustTakeWrites();
    stream(entry.lane).ack(entry.id);
  }

  /** XPENDING: entries that were delivered and left. Groups that are missing are made. */
  List<Left> idle(long millis, int limit) throws Refused {
    mustBeUp();
    List<Left> left = new ArrayList<>();
    for (int lane = 0; lane < world.scenario.lanes(); lane++) {
      stream(lane).idle(millis, world.now, limit, left);
    }
    return left;
  }

  /** All batches on a lane's stream, delivered or not, with their entries. */
  Map<Integer, Entry> present(int lane) throws Refused {
    mustBeUp();
    Map<Integer, Entry> all = new HashMap<>();
    stream(lane).entries.values().forEach(entry -> all.put(entry.batch.id(), entry));
    return all;
  }

  /** Whether the reconciler has looked through it since somebody asked for that. */
  boolean isMarked() throws Refused {
    mustBeUp();
    return marked;
  }

  boolean removeMark() throws Refused {
    mustTakeWrites();
    marked = false;
    return true;
  }

  boolean mark() throws Refused {
    mustHaveMemory();
    marked = true;
    return true;
  }

  /** A write that needs memory. */
  boolean probe() throws Refused {
    mustHaveMemory();
    return true;
  }

  boolean isEmpty() {
    for (Stream stream : streams.values()) {
      if (!stream.entries.isEmpty()) {
        return false;
      }
    }
    return true;
  }

  @Override
  public String toString() {
    return "redis" + shard;
  }

  // Faults.

  void loseAll() {
    streams = new TreeMap<>();
    hints = new HashMap<>();
    marked = false;
    starts++;
  }

  void mend() {
    up = true;
    readOnly = false;
    full = false;
  }

  /** It is saved after the next entry, and some time later it dies and comes back like that. */
  void restoreAfterNextAdd(long millis) {
    restoreAfter = millis;
  }

  private void save() {
    Redis copy = new Redis(world, shard);
    copy.copyFrom(this);
    saved = copy;
  }

  private void restore() {
    if (saved != null) {
      long newest = lastId;
      copyFrom(saved);
      lastId = newest;
      starts++;
      world.trace.add("--- " + this + " is as it was");
    }
  }

  private void copyFrom(Redis other) {
    streams = new TreeMap<>();
    other.streams.forEach((lane, stream) -> streams.put(lane, new Stream(stream)));
    hints = new HashMap<>(other.hints);
    marked = other.marked;
    lastId = other.lastId;
  }

  void destroyGroup() {
    streams.values().forEach(Stream::destroyGroup);
  }

  void loseOne() {
    Entry entry = anyEntry();
    if (entry != null) {
      stream(entry.lane).entries.remove(entry.id);
    }
  }

  void doubleOne() {
    Entry entry = anyEntry();
    if (entry != null) {
      put(stream(entry.lane), entry.batch);
    }
  }

  private @Nullable Entry anyEntry() {
    List<Entry> all = new ArrayList<>();
    streams.values().forEach(stream -> all.addAll(stream.entries.values()));
    return all.isEmpty() ? null : all.get(world.random.nextInt(all.size()));
  }
}
