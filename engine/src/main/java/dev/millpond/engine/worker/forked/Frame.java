package dev.millpond.engine.worker.forked;

import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What parent and child say to each other. On the wire: the length of the rest (4 bytes, big
 * endian), a byte for the type, the fields in their order. Texts are a length in bytes and UTF-8; a
 * text that may be null has a byte before it. The child's first frame is {@link Hello} with the
 * version of all this.
 */
sealed interface Frame {
  /** Raised with every change of a frame. */
  int VERSION = 2;

  /** From the child, first of all. */
  record Hello(int version, long pid) implements Frame {}

  /** To the child: the modules whose handlers it makes, names of classes. */
  record Prepare(List<String> modules) implements Frame {
    public Prepare {
      modules = List.copyOf(modules);
    }
  }

  /** From the child: the modules are loaded, or what was in the way. */
  record Ready(@Nullable String problem) implements Frame {}

  /**
   * To the child: run a job. All it is told of it; the fencing token stays with the parent.
   *
   * @param run a number of this run in this child, which its answers carry
   * @param module the class that registers the kind's handler
   * @param softMillis until it is told to stop
   * @param hardMillis until the process is killed
   * @param resultBytes the most its result may have; -1 when no result is kept
   * @param traceparent the trace that the run belongs to; null for none
   * @param mark is written to the standard output after all output of the run
   */
  record Run(
      int run,
      UUID jobId,
      String kind,
      String queue,
      int attempt,
      String module,
      String payload,
      long softMillis,
      long hardMillis,
      int resultBytes,
      @Nullable String traceparent,
      String mark)
      implements Frame {}

  /** To the child: the run should stop. */
  record Stop(int run, String reason) implements Frame {}

  /** To the child: end, with the shutdown hooks of what runs in it. */
  record Bye() implements Frame {}

  /** From the child: a line of the job's log. */
  record Log(int run, String line) implements Frame {}

  /** From the child: how far the run has come. */
  record Progress(int run, int percent, @Nullable String message) implements Frame {}

  /** From the child: the handler has returned; its result as JSON. */
  record Result(int run, @Nullable String json) implements Frame {}

  /** How an error decides what follows. */
  enum Verdict {
    ORDINARY(0),
    FATAL(1),
    RETRY(2),
    STOPPED(3);

    private final int code;

    Verdict(int code) {
      this.code = code;
    }

    /** As it is written. */
    int code() {
      return code;
    }
  }

  /**
   * From the child: the handler has thrown.
   *
   * @param delayMillis of {@link Verdict#RETRY}
   */
  record Failed(
      int run,
      Verdict verdict,
      long delayMillis,
      String type,
      @Nullable String message,
      @Nullable String stack)
      implements Frame {}
}
