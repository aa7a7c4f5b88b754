package dev.millpond.engine.worker;

/** Why an attempt is asked to stop; a later one overrules an earlier one. */
enum StopReason {
  NONE,
  /** Its soft timeout has passed. */
  TIMEOUT,
  /** The process ends; the attempt is given back. */
  SHUTDOWN,
  /** Its job was cancelled. */
  CANCELLED,
  /** Its job is somebody else's by now; nothing it does counts. */
  LOST
}
