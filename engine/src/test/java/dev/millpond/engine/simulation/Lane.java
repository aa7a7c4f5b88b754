package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.Work.Answer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A lane of a node's writer: one flush after the other, as in GroupCommit.
 *
 * @param <W> a piece of work
 * @param <F> a flush, which is sent again as it is
 */
abstract class Lane<W, F> extends Task {
  final World world;
  final Node node;
  private final ArrayDeque<W> queue = new ArrayDeque<>();
  private final ArrayDeque<List<W>> bisected = new ArrayDeque<>();
  private final int writer;
  private int sequence;
  private List<W> group = List.of();
  private @Nullable F flush;
  private @Nullable Work sent;
  private boolean waiting;
  private boolean careful;
  private long firstSentAt;

  Lane(Node node) {
    super(node);
    this.node = node;
    this.world = node.world;
    this.writer = world.nextSession();
  }

  /** Whether a piece may be in a flush with those chosen so far. */
  boolean compatible(List<W> chosen, W piece) {
    return true;
  }

  abstract F form(List<W> chosen);

  abstract Work make(F formed, boolean carefully, java.util.function.Consumer<Answer> told);

  abstract void committed(F formed, long millis, boolean recovered, boolean carefully);

  abstract void dropped(F formed);

  abstract void rejected(W piece, Answer why);

  void put(W piece) {
    queue.add(piece);
  }

  boolean idle() {
    return queue.isEmpty() && flush == null && bisected.isEmpty();
  }

  /** R15: the first statement of each flush. */
  Work.Said mark(Tx tx) {
    if (world.has(Bug.NO_FLUSH_MARKER)) {
      return Work.Said.DONE;
    }
    return switch (world.pg.marker.insert(tx, writer * 1_000_000L + sequence, true)) {
      case DONE -> Work.Said.DONE;
      case EXISTS -> Work.Said.MARKER;
      case BLOCKED -> Work.Said.BLOCKED;
    };
  }

  @Override
  void step() {
    readyAt = world.now + 2 + world.random.nextInt(6);
    if (waiting) {
      return;
    }
    F ready = flush;
    if (ready == null) {
      group = gather();
      if (group.isEmpty()) {
        return;
      }
      ready = form(group);
      flush = ready;
      sequence++;
      careful = false;
      firstSentAt = world.now;
    }
    send(ready);
  }

  private List<W> gather() {
    if (!bisected.isEmpty()) {
      return bisected.removeFirst();
    }
    List<W> chosen = new ArrayList<>();
    while (!queue.isEmpty() && chosen.size() < 4 && compatible(chosen, queue.getFirst())) {
      chosen.add(queue.removeFirst());
    }
    return chosen;
  }

  private void send(F formed) {
    Work old = sent;
    if (old != null) {
      old.terminate(); // R15: the old backend ends before the flush is sent again
    }
    waiting = true;
    Work work = make(formed, careful, this::hear);
    sent = work;
    work.start();
  }

  private void hear(Answer answer) {
    waiting = false;
    F formed = flush;
    if (formed == null) {
      return;
    }
    switch (answer) {
      case COMMITTED -> done(formed, false);
      case MARKER -> done(formed, true);
      case LOST -> {
        readyAt = world.now + 5 + world.random.nextInt(30);
      }
      case UNIQUE -> {
        if (careful) {
          refused(formed, answer);
        } else {
          careful = true;
        }
      }
      case LOCK, ROLLED_BACK -> refused(formed, answer);
    }
  }

  private void done(F formed, boolean recovered) {
    flush = null;
    sent = null;
    committed(formed, world.now - firstSentAt, recovered, careful);
  }

  private void refused(F formed, Answer why) {
    flush = null;
    sent = null;
    dropped(formed);
    if (group.size() > 1) {
      int half = group.size() / 2;
      bisected.addFirst(List.copyOf(group.subList(half, group.size())));
      bisected.addFirst(List.copyOf(group.subList(0, half)));
    } else {
      rejected(group.getFirst(), why);
    }
  }
}
