package dev.millpond.engine.trace;

/** The span from the end of a handler to the commit of what became of its attempt. */
public interface CommitSpan {
  /** Of an attempt that is not traced. */
  CommitSpan NONE = counts -> {};

  /**
   * Ends it, on any thread.
   *
   * @param counts whether the attempt still had its job; else what it wrote changed nothing
   */
  void end(boolean counts);
}
