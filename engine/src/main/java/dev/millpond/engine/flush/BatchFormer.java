package dev.millpond.engine.flush;

import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.BatchMaker.Member;
import dev.millpond.engine.dispatch.KindPace;
import dev.millpond.engine.dispatch.Lane;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Forms batches of the runnable jobs of a flush: one queue, class and kind each, as large as fits.
 */
public final class BatchFormer {
  private final BatchMaker maker;
  private final KindPace pace;

  private record Group(Lane lane, String kind) {}

  public BatchFormer(BatchMaker maker, KindPace pace) {
    this.maker = maker;
    this.pace = pace;
  }

  public List<Batch> form(List<NewJob> jobs) {
    Map<Group, List<Member>> groups = new LinkedHashMap<>();
    for (NewJob job : jobs) {
      if (job.runsNow()) {
        groups
            .computeIfAbsent(
                new Group(new Lane(job.queue(), job.priorityClass()), job.kind()),
                g -> new ArrayList<>())
            .add(new Member(job.id(), 1));
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
