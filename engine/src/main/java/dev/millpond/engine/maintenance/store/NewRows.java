package dev.millpond.engine.maintenance.store;

import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.BatchMaker.Member;
import dev.millpond.engine.dispatch.KindPace;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.store.DepthMoves;
import dev.millpond.engine.dispatch.store.DepthStore;
import dev.millpond.engine.dispatch.store.DispatchStore;
import dev.millpond.engine.flush.store.EndedJobs;
import dev.millpond.engine.lifecycle.store.JobTables;
import dev.millpond.engine.maintenance.store.RescueStore.Lost;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/** The waiting rows of jobs whose state rows have just been made runnable (rule R8). Stateless. */
public final class NewRows {
  private NewRows() {}

  private record Group(Lane lane, String kind) {}

  /**
   * Gives each job a dispatch row, at its token, and counts it; those that have ended lose their
   * state rows. Such an end is read in a statement after the one that has locked the state rows.
   *
   * @return how many jobs are runnable now
   */
  public static int write(Connection tx, List<Lost> jobs, BatchMaker maker, KindPace pace)
      throws SQLException {
    JobTables.hold(tx); // payloads are asked for their sizes after the outcomes
    Set<UUID> ended = EndedJobs.among(tx, jobs.stream().map(Lost::jobId).toList());
    PromoteStore.drop(tx, ended);
    DepthMoves depth = new DepthMoves();
    Map<Group, List<Member>> groups = new LinkedHashMap<>();
    for (Lost job : jobs) {
      if (!ended.contains(job.jobId())) {
        depth.comes(job.lane(), job.jobId());
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
    DispatchStore.insert(tx, batches, false);
    DepthStore.add(tx, depth);
    return jobs.size() - ended.size();
  }
}
