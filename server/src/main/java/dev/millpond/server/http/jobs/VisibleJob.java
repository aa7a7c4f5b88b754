package dev.millpond.server.http.jobs;

import dev.millpond.api.JobView;
import dev.millpond.engine.Millpond;
import dev.millpond.server.http.PathId;
import dev.millpond.server.http.access.Caller;
import jakarta.servlet.http.HttpServletRequest;
import java.util.Optional;
import java.util.UUID;

/**
 * The job of a path, as its caller sees it: for one that is bound to queues, jobs of others are not
 * there. A job never changes its queue. Thread-safe.
 */
public final class VisibleJob {
  private final Millpond millpond;

  public VisibleJob(Millpond millpond) {
    this.millpond = millpond;
  }

  /** Its id; empty when the text is none, or the job is none of the caller's. */
  public Optional<UUID> of(HttpServletRequest request, String text) {
    Optional<UUID> id = PathId.of(text);
    Caller caller = Caller.of(request);
    return caller.queues().isEmpty()
        ? id
        : caller.see(id.flatMap(millpond::find), job -> job.request().queue()).map(JobView::id);
  }
}
