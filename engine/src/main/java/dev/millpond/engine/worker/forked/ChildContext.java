package dev.millpond.engine.worker.forked;

import dev.millpond.api.AttemptStoppedException;
import dev.millpond.api.FatalJobException;
import dev.millpond.api.JobContext;
import dev.millpond.api.Limits;
import dev.millpond.engine.worker.text.Texts;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** An attempt as its handler sees it in a child: what it says goes to the parent as frames. */
final class ChildContext implements JobContext {
  private final Frame.Run run;
  private final Consumer<Frame> parent;
  private final AtomicInteger lines = new AtomicInteger();
  private @Nullable Thread thread;
  private volatile @Nullable String stopReason;
  private volatile boolean over;

  ChildContext(Frame.Run run, Consumer<Frame> parent) {
    this.run = run;
    this.parent = parent;
  }

  int number() {
    return run.run();
  }

  Frame.Run asked() {
    return run;
  }

  /** The handler is called on this thread. */
  synchronized void enter() {
    thread = Thread.currentThread();
    if (stopReason != null) {
      thread.interrupt();
    }
  }

  /** The handler has ended; nothing it says from now on is heard. */
  void leave() {
    synchronized (this) {
      thread = null;
    }
    over = true;
    boolean ignored = Thread.interrupted();
  }

  synchronized void stop(String reason) {
    stopReason = reason;
    if (thread != null) {
      thread.interrupt();
    }
  }

  @Override
  public UUID jobId() {
    return run.jobId();
  }

  @Override
  public int attempt() {
    return run.attempt();
  }

  @Override
  public int leaseToken() {
    throw refused("the fencing token stays with the worker");
  }

  @Override
  public String kind() {
    return run.kind();
  }

  @Override
  public String queue() {
    return run.queue();
  }

  @Override
  public @Nullable String traceparent() {
    return run.traceparent();
  }

  @Override
  public boolean stopRequested() {
    return stopReason != null;
  }

  @Override
  public void checkStop() {
    String why = stopReason;
    if (why != null) {
      throw new AttemptStoppedException(
          "attempt " + run.attempt() + " of job " + run.jobId() + " was asked to stop: " + why);
    }
  }

  @Override
  public void progress(int percent, @Nullable String message) {
    if (percent < 0 || percent > 100) {
      throw new IllegalArgumentException("percent must be 0 to 100, is " + percent);
    }
    say(new Frame.Progress(run.run(), percent, message == null ? null : Texts.line(message)));
  }

  @Override
  public void log(String line) {
    if (lines.incrementAndGet() <= Limits.LOG_LINES) {
      say(new Frame.Log(run.run(), Texts.line(line)));
    }
  }

  private void say(Frame frame) {
    if (!over) {
      parent.accept(frame);
    }
  }

  @Override
  public void completeIn(TransactionalWork work) {
    throw refused("a child process has no connection of the worker's");
  }

  private FatalJobException refused(String why) {
    return new FatalJobException(
        "kind "
            + run.kind()
            + " runs forked: "
            + why
            + ". Register it with the executor VIRTUAL or PLATFORM to use this");
  }
}
