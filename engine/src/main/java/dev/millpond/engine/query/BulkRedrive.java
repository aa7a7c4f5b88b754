package dev.millpond.engine.query;

/** What a redrive of all dead letters of a filter did. */
public sealed interface BulkRedrive {
  /**
   * It went through, as far as one call goes.
   *
   * @param skipped dead letters that somebody else took in between
   * @param remaining dead letters that match now; a further call goes on with them
   */
  record Done(long redriven, long skipped, Count remaining) implements BulkRedrive {}

  /** There are not as many as the caller expected; nothing changed. */
  record CountDiffers(Count actual) implements BulkRedrive {}
}
