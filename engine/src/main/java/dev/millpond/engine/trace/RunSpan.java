package dev.millpond.engine.trace;

import org.jspecify.annotations.Nullable;

/** The span of an attempt. */
public interface RunSpan {
  /** Of an attempt that is not traced. */
  RunSpan NONE =
      new RunSpan() {
        @Override
        public @Nullable String traceparent() {
          return null;
        }

        @Override
        public void end(@Nullable Throwable failure) {}

        @Override
        public CommitSpan commit() {
          return CommitSpan.NONE;
        }
      };

  /** What goes to other processes that work for the attempt; null where it is not traced. */
  @Nullable String traceparent();

  /**
   * Ends it; it is not the current one any more. By the thread that began it.
   *
   * @param failure what the handler has thrown; null when it came to its end
   */
  void end(@Nullable Throwable failure);

  /** Begins the span of the commit of what became of it, before its end or after, on any thread. */
  CommitSpan commit();
}
