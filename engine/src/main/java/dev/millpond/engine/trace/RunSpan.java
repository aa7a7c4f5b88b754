package dev.millpond.engine.trace;

import org.jspecify.annotations.Nullable;

/** The span of an attempt. Used by the thread that began it. */
public interface RunSpan {
  /** Of an attempt that is not traced. */
  RunSpan NONE = failure -> CommitSpan.NONE;

  /**
   * Ends it; it is not the current one any more.
   *
   * @param failure what the handler has thrown; null when it came to its end
   * @return the span that begins with it
   */
  CommitSpan end(@Nullable Throwable failure);
}
