package dev.millpond.engine.worker.forked;

import java.io.IOException;

/** Bytes that are no frame of this version. The connection they came over is of no further use. */
final class FrameException extends IOException {
  private static final long serialVersionUID = 1L;

  FrameException(String message) {
    super(message);
  }
}
