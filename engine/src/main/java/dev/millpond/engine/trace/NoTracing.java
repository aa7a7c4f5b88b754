package dev.millpond.engine.trace;

import org.jspecify.annotations.Nullable;

/** Makes no spans. */
final class NoTracing implements Tracing {
  private static final SubmitSpan NOTHING = new Given(null);

  /** What the producer has given. */
  private record Given(@Nullable String traceparent) implements SubmitSpan {
    @Override
    public void end(@Nullable Throwable failure) {}
  }

  @Override
  public boolean on() {
    return false;
  }

  @Override
  public SubmitSpan submit(String kind, String queue, int jobs, @Nullable String traceparent) {
    String sampled = TraceParent.sampled(traceparent);
    return sampled == null ? NOTHING : new Given(sampled);
  }

  @Override
  public RunSpan run(TracedRun run) {
    return RunSpan.NONE;
  }
}
