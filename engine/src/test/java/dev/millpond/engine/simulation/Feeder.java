package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.Redis.Refused;
import dev.millpond.engine.simulation.Rows.Batch;
import dev.millpond.engine.simulation.Rows.Dispatch;
import dev.millpond.engine.simulation.Table.Mode;
import dev.millpond.engine.simulation.Work.Answer;
import dev.millpond.engine.simulation.Work.Said;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** R11 with ADR 23, as the engine's class of this name: puts waiting rows on streams. */
final class Feeder {
  private static final int PAGE = 6;

  private final Node node;
  private final World world;
  private final Pg pg;
  private final Maintenance roles;
  private int turn;

  Feeder(Node node, Maintenance roles) {
    this.node = node;
    this.world = node.world;
    this.pg = world.pg;
    this.roles = roles;
  }

  void look() {
    Readers[] readers = {Readers.unknown()};
    roles
        .lead(
            "survey",
            answer -> {
              if (answer == Answer.COMMITTED) {
                plan(readers[0]);
              }
            })
        .then(tx -> {
          readers[0] = Readers.read(world);
          return Said.DONE;
        });
  }

  private void plan(Readers readers) {
    Set<Integer> usable = node.usable();
    for (int lane = 0; lane < world.scenario.lanes(); lane++) {
      for (int kind = 0; kind < world.scenario.kinds(); kind++) {
        int mine = kind;
        int of = lane;
        List<Integer> taking = usable.stream().filter(shard -> readers.read(shard, mine)).toList();
        turn++;
        for (int i = 0; i < taking.size(); i++) {
          int shard = taking.get((turn + i) % taking.size());
          roles.next(() -> feed(of, mine, shard, taking));
        }
        Set<Integer> awaited = readers.shardsOf(kind);
        if (taking.isEmpty() && !awaited.isEmpty()) {
          roles.next(() -> markDirect(of, mine, awaited));
        }
      }
    }
  }

  private static boolean waits(Dispatch row, int lane, int kind) {
    return row.waits() && !row.direct() && row.batch().lane() == lane && row.batch().kind() == kind;
  }

  /** Rows of the shard, and those of shards that take none. */
  private void feed(int lane, int kind, int shard, List<Integer> taking) {
    Link link = node.links.get(shard);
    if (link == null) {
      return;
    }
    List<Batch> batches = new ArrayList<>();
    roles
        .lead(
            "feed " + link.redis,
            answer -> {
              if (answer == Answer.COMMITTED && !batches.isEmpty()) {
                List<Batch> refused = new ArrayList<>();
                roles.next(() -> markWaiting(refused));
                batches.forEach(batch -> roles.next(() -> add(link, batch, refused)));
              }
            })
        .then(tx -> {
          for (long id : pg.dispatch.keys()) {
            Dispatch row = pg.dispatch.committed(id);
            if (row != null
                && waits(row, lane, kind)
                && (row.shard() == shard || isAdopted(row, taking))
                && batches.size() < PAGE
                && pg.dispatch.lock(tx, id, Mode.NO_KEY_UPDATE)) {
              pg.dispatch.write(tx, id, row.adopted(shard, world.now));
              batches.add(row.batch());
            }
          }
          return Said.DONE;
        });
  }

  private boolean isAdopted(Dispatch row, List<Integer> taking) {
    return !taking.contains(row.shard()) && !world.has(Bug.NOTHING_IS_ADOPTED);
  }

  private void add(Link link, Batch batch, List<Batch> refused) {
    try {
      link.call(() -> {
        link.redis.add(batch, world.has(Bug.FEEDER_MIXES_LANES) ? 0 : batch.lane());
        return true;
      });
    } catch (Refused e) {
      if (e.isSure()) {
        refused.add(batch);
      } else {
        world.checks.count("dropped"); // marked as sent and not there: the reconciler finds it
      }
    }
  }

  /** What was refused is on no stream: it waits again, under the same tokens. */
  private void markWaiting(List<Batch> refused) {
    if (refused.isEmpty()) {
      return;
    }
    world.checks.count("refused by a server");
    roles
        .lead("refusal", Maintenance::nothing)
        .then(tx -> {
          for (Batch batch : refused) {
            if (!pg.dispatch.lock(tx, batch.id(), Mode.NO_KEY_UPDATE)) {
              return Said.BLOCKED;
            }
            Dispatch row = pg.dispatch.read(tx, batch.id());
            if (row != null && row.sentAt() != Rows.NEVER && row.claimedBy() == Rows.NOBODY) {
              pg.dispatch.write(tx, batch.id(), row.waitsAgain());
            }
          }
          return Said.DONE;
        });
  }

  /** Rows that workers expect on streams which take none: any of them may claim those. */
  private void markDirect(int lane, int kind, Set<Integer> shards) {
    roles
        .lead("direct", Maintenance::nothing)
        .then(tx -> {
          for (long id : pg.dispatch.keys()) {
            Dispatch row = pg.dispatch.committed(id);
            if (row != null
                && waits(row, lane, kind)
                && shards.contains(row.shard())
                && pg.dispatch.lock(tx, id, Mode.NO_KEY_UPDATE)) {
              pg.dispatch.write(tx, id, row.directly());
            }
          }
          return Said.DONE;
        });
  }
}
