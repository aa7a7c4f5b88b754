package dev.millpond.engine.flush;

import dev.millpond.engine.admission.Need;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the jobs of a submit ask of their queues. */
public final class Needs {
  private Needs() {}

  /** One for each queue; mostly there is one. */
  public static List<Need> of(List<NewJob> jobs) {
    String queue = jobs.getFirst().queue();
    int now = 0;
    for (NewJob job : jobs) {
      if (!job.queue().equals(queue)) {
        return ofSeveral(jobs);
      }
      now += job.runsNow() ? 1 : 0;
    }
    return List.of(new Need(queue, now, jobs.size() - now));
  }

  private static List<Need> ofSeveral(List<NewJob> jobs) {
    Map<String, Need> needs = new LinkedHashMap<>();
    for (NewJob job : jobs) {
      int now = job.runsNow() ? 1 : 0;
      needs.merge(
          job.queue(),
          new Need(job.queue(), now, 1 - now),
          (a, b) -> new Need(a.queue(), a.now() + b.now(), a.later() + b.later()));
    }
    return new ArrayList<>(needs.values());
  }
}
