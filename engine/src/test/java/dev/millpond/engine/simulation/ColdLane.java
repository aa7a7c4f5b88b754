package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.ColdLane.Flush;
import dev.millpond.engine.simulation.ColdLane.Piece;
import dev.millpond.engine.simulation.Keyed.Item;
import dev.millpond.engine.simulation.Keyed.Verdict;
import dev.millpond.engine.simulation.Portion.Written;
import dev.millpond.engine.simulation.Work.Answer;
import dev.millpond.engine.simulation.Work.Said;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Everything that has to read before it knows what to write. */
final class ColdLane extends Lane<Piece, Flush> {
  /** A piece of a flush. */
  sealed interface Piece {
    record Finish(Portion portion) implements Piece {}

    record Submit(Keyed submit) implements Piece {}
  }

  /** A flush, and what was known of it before its commit was sent. */
  static final class Flush {
    final List<Portion> portions = new ArrayList<>();
    final List<Keyed> submits = new ArrayList<>();
    IdentityHashMap<Portion, Written> written = new IdentityHashMap<>();
    IdentityHashMap<Keyed, List<Verdict>> verdicts = new IdentityHashMap<>();
    @Nullable NewJobs jobs;
  }

  ColdLane(Node node) {
    super(node);
  }

  /** A key is in one submit of a flush only: the second one waits for the first one's answer. */
  @Override
  boolean compatible(List<Piece> chosen, Piece piece) {
    return !(piece instanceof Piece.Submit(Keyed submit))
        || chosen.stream().noneMatch(other -> shareAKey(other, submit));
  }

  private static boolean shareAKey(Piece other, Keyed submit) {
    if (!(other instanceof Piece.Submit(Keyed first))) {
      return false;
    }
    List<Integer> taken = first.items().stream().map(Item::key).toList();
    return submit.items().stream().anyMatch(item -> taken.contains(item.key()));
  }

  @Override
  Flush form(List<Piece> chosen) {
    Flush flush = new Flush();
    for (Piece piece : chosen) {
      switch (piece) {
        case Piece.Finish finish -> flush.portions.add(finish.portion());
        case Piece.Submit keyed -> flush.submits.add(keyed.submit());
      }
    }
    return flush;
  }

  @Override
  Work make(Flush flush, boolean careful, Consumer<Answer> told) {
    Work work =
        Work.interactive(world, node, "cold flush of " + node.name + "/s" + node.session, told)
            .then(this::mark);
    if (!flush.submits.isEmpty()) {
      Keys keys = new Keys(world, flush.submits);
      keys.addTo(work);
      work.then(
              tx -> {
                dropped(flush); // of an earlier sending, of which nothing was committed
                flush.verdicts = keys.verdicts();
                flush.jobs = new NewJobs(node, node.session, keys.jobs());
                return flush.jobs.insertJobs(tx);
              })
          .then(tx -> flush.jobs == null ? Said.DONE : flush.jobs.insertRows(tx));
    }
    if (!flush.portions.isEmpty()) {
      ColdFlush statements = new ColdFlush(node, flush.portions);
      statements.addTo(work);
      work.then(tx -> {
        flush.written = statements.written();
        return Said.DONE;
      });
    }
    return work;
  }

  @Override
  void committed(Flush flush, long millis, boolean recovered, boolean careful) {
    if (flush.jobs != null) {
      flush.jobs.committed(millis);
    }
    world.later(
        node,
        world.latency(),
        () -> {
          for (Portion portion : flush.portions) {
            Written written = flush.written.get(portion);
            if (written == null) {
              throw new IllegalStateException("nothing is known of a portion");
            }
            portion.then().accept(written);
          }
          flush.verdicts.forEach((submit, verdicts) -> submit.told().accept(verdicts));
        });
  }

  @Override
  void dropped(Flush flush) {
    if (flush.jobs != null) {
      flush.jobs.dropped();
    }
    flush.jobs = null;
  }

  @Override
  void rejected(Piece piece, Answer why) {
    switch (piece) {
      case Piece.Finish finish -> node.refused(finish.portion(), why);
      case Piece.Submit keyed -> keyed.submit().told().accept(List.of());
    }
  }
}
