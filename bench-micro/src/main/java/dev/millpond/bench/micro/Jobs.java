package dev.millpond.bench.micro;

import dev.millpond.engine.flush.NewJob;
import dev.millpond.engine.submit.JobIds;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;

/** Jobs as a submit hands them to the writer. */
public final class Jobs {
  /** Jobs of a flush. */
  public static final int COUNT = 1_000;

  /** About 210 bytes of JSON, as in the bench. */
  public record Payload(long at, String text) {}

  public static final Payload PAYLOAD = new Payload(1_234_567_890_123L, "millpond ".repeat(19));

  public static final String JSON =
      "{\"at\":1234567890123,\"text\":\"" + "millpond ".repeat(19) + "\"}";

  private Jobs() {}

  public static List<NewJob> make() {
    JobIds ids = new JobIds(InstantSource.system());
    List<NewJob> jobs = new ArrayList<>(COUNT);
    for (int i = 0; i < COUNT; i++) {
      jobs.add(new NewJob(ids.get(), "default", "normal", "bench.noop", JSON, null, NewJob.NOW));
    }
    return jobs;
  }
}
