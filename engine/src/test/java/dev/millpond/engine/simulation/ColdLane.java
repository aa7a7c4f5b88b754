package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.ColdLane.Flush;
import dev.millpond.engine.simulation.Portion.Written;
import dev.millpond.engine.simulation.Work.Answer;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.function.Consumer;

/** Everything that has to read before it knows what to write. */
final class ColdLane extends Lane<Portion, Flush> {
  /** A flush, and what was known of it before its commit was sent. */
  static final class Flush {
    final List<Portion> portions;
    IdentityHashMap<Portion, Written> written = new IdentityHashMap<>();

    Flush(List<Portion> portions) {
      this.portions = portions;
    }
  }

  ColdLane(Node node) {
    super(node);
  }

  @Override
  Flush form(List<Portion> chosen) {
    return new Flush(chosen);
  }

  @Override
  Work make(Flush flush, boolean careful, Consumer<Answer> told) {
    Work work =
        Work.interactive(world, node, "cold flush of " + node.name + "/s" + node.session, told)
            .then(this::mark);
    ColdFlush statements = new ColdFlush(world, flush.portions, node.session);
    statements.addTo(work);
    work.then(tx -> {
      flush.written = statements.written();
      return Work.Said.DONE;
    });
    return work;
  }

  @Override
  void committed(Flush flush, long millis, boolean recovered, boolean careful) {
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
        });
  }

  @Override
  void dropped(Flush flush) {}

  @Override
  void rejected(Portion piece, Answer why) {
    node.refused(piece, why);
  }
}
