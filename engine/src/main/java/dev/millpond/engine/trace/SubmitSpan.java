package dev.millpond.engine.trace;

import org.jspecify.annotations.Nullable;

/** The span of a submit. */
public interface SubmitSpan {
  /** What is stored with its jobs; null for nothing. */
  @Nullable String traceparent();

  /**
   * Ends it.
   *
   * @param failure why it failed; null when it was answered
   */
  void end(@Nullable Throwable failure);
}
