package dev.millpond.engine.maintenance;

import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.BatchMaker.Member;
import dev.millpond.engine.dispatch.KindPace;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.store.DepthStore;
import dev.millpond.engine.dispatch.store.DispatchStore;
import dev.millpond.engine.flush.store.EndedJobs;
import dev.millpond.engine.maintenance.store.PromoteStore;
import dev.millpond.engine.maintenance.store.RescueStore.Lost;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/**
 * Makes scheduled jobs runnable when their time has come by the database's clock (rule R8): delayed
 * submits and retries. Same token: nobody else can hold them.
 */
final class Promoter {
  /** Jobs of one transaction. */
  record Config(int page) {
    static final Config DEFAULT = new Config(1_000);
  }

  /** What one look did. */
  record Result(int promoted) {}

  private record Group(Lane lane, String kind) {}

  private final Leadership leadership;
  private final BatchMaker maker;
  private final KindPace pace;
  private final Config config;
  private final Runnable fed;

  /**
   * @param fed told when there are new waiting rows
   */
  Promoter(Leadership leadership, BatchMaker maker, KindPace pace, Config config, Runnable fed) {
    this.leadership = leadership;
    this.maker = maker;
    this.pace = pace;
    this.config = config;
    this.fed = fed;
  }

  /** Promotes everything that is due. */
  Result runOnce() {
    int promoted = 0;
    while (true) {
      int[] found = new int[1];
      promoted +=
          leadership.call(tx -> {
            List<Lost> due = PromoteStore.due(tx, config.page());
            found[0] = due.size();
            List<UUID> ids = due.stream().map(Lost::jobId).toList();
            Set<UUID> ended = EndedJobs.among(tx, ids);
            PromoteStore.drop(tx, ended);
            Map<Lane, Integer> depth = new HashMap<>();
            List<Batch> batches = batches(due, ended, depth);
            DispatchStore.insert(tx, batches, false);
            DepthStore.add(tx, depth);
            return due.size() - ended.size();
          });
      if (found[0] > 0) {
        fed.run(); // page by page: the first ones need not wait for the last
      }
      if (found[0] < config.page()) {
        return new Result(promoted);
      }
    }
  }

  private List<Batch> batches(List<Lost> due, Set<UUID> ended, Map<Lane, Integer> depth) {
    Map<Group, List<Member>> groups = new LinkedHashMap<>();
    for (Lost job : due) {
      if (!ended.contains(job.jobId())) {
        depth.merge(job.lane(), 1, Integer::sum);
        groups
            .computeIfAbsent(new Group(job.lane(), job.kind()), g -> new ArrayList<>())
            .add(new Member(job.jobId(), job.token()));
      }
    }
    List<Batch> batches = new ArrayList<>();
    groups.forEach((group, members) ->
        batches.addAll(
            maker.split(
                group.lane(),
                group.kind(),
                members,
                pace.batchSize(group.kind(), members.size()))));
    return batches;
  }
}
