package dev.millpond.engine.trace;

/** The span of the commit of what became of an attempt. Ended once, on any thread. */
public interface CommitSpan {
  /** Of an attempt that is not traced. */
  CommitSpan NONE =
      new CommitSpan() {
        @Override
        public void end(boolean counts) {}

        @Override
        public void failed(Throwable why) {}
      };

  /**
   * Ends it.
   *
   * @param counts whether the attempt still had its job; else what it wrote changed nothing
   */
  void end(boolean counts);

  /** Ends one that did not come to a commit, or to none that is known of. */
  void failed(Throwable why);
}
