package dev.millpond.engine.flush;

import dev.millpond.engine.admission.Amount;
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
    long bytes = 0;
    for (NewJob job : jobs) {
      if (!job.queue().equals(queue)) {
        return ofSeveral(jobs);
      }
      if (job.runsNow()) {
        now++;
        bytes += job.payloadBytes();
      }
    }
    return List.of(new Need(queue, new Amount(now, bytes), jobs.size() - now));
  }

  private static List<Need> ofSeveral(List<NewJob> jobs) {
    Map<String, Need> needs = new LinkedHashMap<>();
    for (NewJob job : jobs) {
      Need need =
          job.runsNow()
              ? new Need(job.queue(), new Amount(1, job.payloadBytes()), 0)
              : new Need(job.queue(), Amount.NONE, 1);
      needs.merge(
          job.queue(),
          need,
          (a, b) -> new Need(a.queue(), a.now().plus(b.now()), a.later() + b.later()));
    }
    return new ArrayList<>(needs.values());
  }
}
