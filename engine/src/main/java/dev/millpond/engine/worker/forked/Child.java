package dev.millpond.engine.worker.forked;

import dev.millpond.api.JobRequest.RawJson;
import dev.millpond.engine.ForkedConfig;
import dev.millpond.engine.worker.forked.ProcFiles.Vitals;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A child process as its parent sees it. It runs one job at a time.
 *
 * <p>Nobody who may be interrupted touches a pipe: of the thread that runs a job only a future is
 * asked, one thread reads frames, one reads what is printed, and whatever stops or kills is done by
 * threads of the executor. So a child that does not read cannot keep its own end away.
 */
final class Child {
  private static final Logger log = LoggerFactory.getLogger(Child.class);
  private static final long RETIRE_MILLIS = 2_000;
  private static final long DEAD_MILLIS = 5_000;
  private static final long LAST_FRAMES_MILLIS = 250;
  private static final long MARK_MILLIS = 250;
  private static final long DRAIN_MILLIS = 500;
  private static final long DRAIN_LOOK_MILLIS = 10;
  private static final int SIGNAL_BASE = 128;
  private static final int SIGTERM = 15;

  /** How {@code ExitOnOutOfMemoryError} ends a JVM, and what it prints. */
  private static final int OUT_OF_MEMORY_CODE = 3;

  private static final String OUT_OF_MEMORY_TEXT = "Terminating due to java.lang.OutOfMemoryError";

  /** After so many frames of one run they are read slowly, so that nobody is flooded. */
  private static final int FREE_FRAMES = 10_000;

  private static final int SLOW_FRAMES = 100;
  private static final long SLOW_MILLIS = 5;

  /** One job in this child. */
  private static final class Running {
    private final int number;
    private final ForkedJob job;
    private final CompletableFuture<Frame.Result> end = new CompletableFuture<>();
    private int frames; // counted by the reader alone

    Running(int number, ForkedJob job) {
      this.number = number;
      this.job = job;
    }
  }

  /**
   * What all children of an executor have in common.
   *
   * @param threads for whatever must not wait for a child
   * @param draining whether the worker ends
   * @param frameMost bytes of a frame
   * @param resultMost bytes of a result
   */
  record Terms(
      ForkedConfig config,
      ExecutorService threads,
      BooleanSupplier draining,
      int frameMost,
      int resultMost) {}

  private final Terms terms;
  private final Process process;
  private final FrameWriter out;
  private final ChildOutput output;
  private final Thread reader;
  private final long startedNanos = System.nanoTime();
  private final CompletableFuture<Boolean> ready = new CompletableFuture<>();
  private final CompletableFuture<Boolean> gone = new CompletableFuture<>();
  private final AtomicBoolean ending = new AtomicBoolean();
  private volatile @Nullable Running running;
  private volatile long idleSinceNanos = System.nanoTime();
  private volatile @Nullable Vitals vitals;
  private int jobs; // counted by whoever has it lent

  private Child(Terms terms, Process process) {
    this.terms = terms;
    this.process = process;
    this.out = new FrameWriter(process.getOutputStream(), terms.frameMost());
    this.output = new ChildOutput(process.getErrorStream());
    this.reader =
        Thread.ofPlatform()
            .daemon()
            .name("millpond-child-frames-" + process.pid())
            .unstarted(this::readFrames);
  }

  /** Starts a process that makes the handlers of these modules. */
  static Child start(ChildCommand command, Terms terms, List<String> modules) throws IOException {
    Child child = new Child(terms, command.start());
    child.reader.start();
    Thread.ofPlatform()
        .daemon()
        .name("millpond-child-output-" + child.pid())
        .start(child.output::read);
    CompletableFuture<Void> ignored =
        child.process.onExit().thenRunAsync(child::exited, terms.threads());
    terms.threads().execute(() -> child.send(new Frame.Prepare(modules)));
    return child;
  }

  long pid() {
    return process.pid();
  }

  /** Whether it may be given a job. */
  boolean usable() {
    return !ending.get() && process.isAlive();
  }

  int jobs() {
    return jobs;
  }

  long ageNanos() {
    return System.nanoTime() - startedNanos;
  }

  long idleNanos() {
    return running == null ? System.nanoTime() - idleSinceNanos : 0;
  }

  /** Looks anew at what it takes; null when it is gone. */
  @Nullable Vitals look() {
    vitals = ProcFiles.vitals(pid()).orElse(null);
    return vitals;
  }

  /** What it took at the last look; null when there was none yet. */
  @Nullable Vitals vitals() {
    return vitals;
  }

  /**
   * Waits until it can run jobs.
   *
   * @throws ForkedFailure when it cannot
   */
  void awaitReady(Duration within) throws ForkedFailure, InterruptedException {
    try {
      ready.get(within.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      throw ForkedFailure.handedBack(String.valueOf(e.getMessage()));
    } catch (TimeoutException e) {
      throw ForkedFailure.handedBack("the child process was not ready within " + within);
    }
  }

  /**
   * Runs a job and waits for its end, which comes with the end of the process if not before.
   *
   * @return its result; null for none
   */
  @Nullable RawJson run(ForkedJob job) throws ForkedFailure {
    Running run = new Running(++jobs, job);
    String mark = "millpond-" + UUID.randomUUID();
    output.begin(job::log, mark);
    running = run;
    job.tell(new Listener(run));
    boolean interrupted = false;
    try {
      send(
          new Frame.Run(
              run.number,
              job.jobId(),
              job.kind(),
              job.queue(),
              job.attempt(),
              job.module(),
              job.payload(),
              job.untilSoftTimeout().toMillis(),
              job.untilHardTimeout().toMillis(),
              job.keepResult() ? terms.resultMost() : -1,
              job.traceparent(),
              mark));
      while (true) {
        try {
          String json = run.end.get().json();
          return json == null ? null : new RawJson(json);
        } catch (InterruptedException e) {
          interrupted = true; // the listener does what is to be done
        }
      }
    } catch (ExecutionException e) {
      if (e.getCause() instanceof ForkedFailure failure) {
        throw failure;
      }
      throw new IllegalStateException(e.getCause());
    } finally {
      settle(run, interrupted);
    }
  }

  /** Takes in what the run has printed before it is over. */
  private void settle(Running run, boolean wasInterrupted) {
    boolean interrupted = wasInterrupted;
    try {
      if (usable() && !output.awaitMark(MARK_MILLIS)) {
        log.debug("child {} has not ended the output of its run; it is replaced", pid());
        retire();
      }
    } catch (InterruptedException e) {
      interrupted = true;
      retire(); // what it still prints must not get into the log of another job
    }
    run.job.tell(null);
    running = null;
    idleSinceNanos = System.nanoTime();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Passes on what is said to an attempt. Does not wait. */
  private final class Listener implements ForkedJob.StopListener {
    private final Running run;

    Listener(Running run) {
      this.run = run;
    }

    @Override
    public void stop(String reason) {
      terms.threads().execute(() -> send(new Frame.Stop(run.number, reason)));
    }

    @Override
    public void kill() {
      Child.this.kill();
    }
  }

  private void send(Frame frame) {
    try {
      out.write(frame);
    } catch (FrameException e) {
      end(ForkedFailure.died(ChildDeath.GARBLED, String.valueOf(e.getMessage()), ""));
      kill();
    } catch (IOException e) {
      log.debug("child {} does not hear any more: {}", pid(), e.getMessage());
    }
  }

  private void readFrames() {
    FrameReader in = new FrameReader(process.getInputStream(), terms.frameMost());
    try {
      for (Frame frame = in.read(); frame != null; frame = in.read()) {
        take(frame);
      }
    } catch (FrameException e) {
      if (!ending.get()) { // the last frame of one that is killed may be torn
        garbled(String.valueOf(e.getMessage()));
      }
    } catch (IOException e) {
      log.debug("child {} says no more: {}", pid(), e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) { // its own bytes did that, and would do it to each attempt
      log.error("what child {} has sent failed here in a way it must not", pid(), e);
      garbled("what this process failed at: " + e);
    } catch (Error e) { // nobody hears it any more, so it is of no use
      end(ForkedFailure.handedBack("what the child process said was not taken in: " + e));
      kill();
      throw e;
    }
  }

  private void garbled(String what) {
    end(ForkedFailure.died(ChildDeath.GARBLED, "the child sent " + what, output.last()));
    kill();
  }

  private void take(Frame frame) throws InterruptedException {
    switch (frame) {
      case Frame.Hello hello -> {
        if (hello.version() != Frame.VERSION) {
          ready.completeExceptionally(
              new IllegalStateException(
                  "the child speaks version "
                      + hello.version()
                      + ", this process "
                      + Frame.VERSION
                      + ": its JARs were replaced while it ran"));
          kill();
        }
      }
      case Frame.Ready news -> {
        if (news.problem() == null) {
          ready.complete(true);
        } else {
          ready.completeExceptionally(new IllegalStateException(news.problem()));
          kill();
        }
      }
      case Frame.Log line -> {
        Running run = of(line.run());
        if (run != null) {
          run.job.log(line.line());
        }
      }
      case Frame.Progress progress -> {
        Running run = of(progress.run());
        if (progress.percent() < 0 || progress.percent() > 100) {
          garbled("a progress of " + progress.percent());
        } else if (run != null) {
          run.job.progress(progress.percent(), progress.message());
        }
      }
      case Frame.Result result -> {
        Running run = of(result.run());
        if (run != null) {
          run.end.complete(result);
        }
      }
      case Frame.Failed failed -> {
        Running run = of(failed.run());
        if (run != null) {
          run.end.completeExceptionally(ForkedFailure.thrown(failed));
        }
      }
      case Frame.Prepare ignored -> garbled("a frame that only its parent sends");
      case Frame.Run ignored -> garbled("a frame that only its parent sends");
      case Frame.Stop ignored -> garbled("a frame that only its parent sends");
      case Frame.Bye ignored -> garbled("a frame that only its parent sends");
    }
  }

  /** The run of this number, if it is at work; its frames are counted, and read slowly if many. */
  private @Nullable Running of(int number) throws InterruptedException {
    Running run = running;
    if (run == null || run.number != number || run.end.isDone()) {
      return null;
    }
    int frames = ++run.frames;
    if (frames > FREE_FRAMES && frames % SLOW_FRAMES == 0) {
      TimeUnit.MILLISECONDS.sleep(SLOW_MILLIS);
    }
    return run;
  }

  private void end(ForkedFailure failure) {
    Running run = running;
    if (run != null) {
      run.end.completeExceptionally(failure);
    }
  }

  /** It takes too much of the system: its job fails, and then it is killed. */
  void overCeiling(String what) {
    end(
        ForkedFailure.died(
            ChildDeath.OVER_CEILING,
            "the child process was killed while it ran the job: " + what,
            output.last()));
    kill();
  }

  /**
   * It cannot be looked at, so nobody would mind its ceilings: its job fails, and then it is
   * killed.
   */
  void unwatched(RuntimeException why) {
    overCeiling("nobody can tell what it takes: " + why);
  }

  /** SIGTERM, then SIGKILL after the grace, to it and all it has started. Does not wait. */
  void kill() {
    if (ending.compareAndSet(false, true)) {
      terms.threads().execute(this::killNow);
    }
  }

  private void killNow() {
    process.destroy();
    ProcessSession.terminate(pid(), pid());
    awaitEnd(terms.config().grace().toMillis());
    process.destroyForcibly();
    killSession();
    if (!awaitEnd(DEAD_MILLIS)) {
      log.error("child process {} does not end, not even by SIGKILL", pid());
      end(ForkedFailure.died(ChildDeath.SIGNALLED, "the child process does not end", ""));
    }
  }

  private void killSession() {
    if (!ProcessSession.kill(pid(), -1)) {
      log.error("processes that child {} has started are not gone", pid());
    }
  }

  /** Lets it end by itself, with its shutdown hooks, and kills it when it does not. */
  void retire() {
    if (ending.compareAndSet(false, true)) {
      terms.threads().execute(() -> send(new Frame.Bye()));
      terms
          .threads()
          .execute(() -> {
            awaitEnd(RETIRE_MILLIS);
            killNow();
          });
    }
  }

  private boolean awaitEnd(long millis) {
    try {
      return process.waitFor(millis, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** Waits until its process and all it has started are gone. */
  boolean awaitGone(long millis) throws InterruptedException {
    try {
      return gone.get(millis, TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      return false;
    }
  }

  private void exited() {
    try {
      reader.join(LAST_FRAMES_MILLIS); // a result that was sent before the end counts
      killSession();
      end(death());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      ending.set(true);
      ready.completeExceptionally(
          new IllegalStateException(
              "the child process ended with exit code "
                  + process.exitValue()
                  + " before it could run jobs; it said: "
                  + output.last()));
      gone.complete(true);
    }
  }

  private ForkedFailure death() throws InterruptedException {
    int code = process.exitValue();
    String said = output.last();
    if (code == OUT_OF_MEMORY_CODE && said.contains(OUT_OF_MEMORY_TEXT)) {
      return ForkedFailure.died(
          ChildDeath.OUT_OF_MEMORY,
          "the child process ran out of memory while it ran the job",
          said);
    }
    if (code > SIGNAL_BASE) {
      int signal = code - SIGNAL_BASE;
      if (signal == SIGTERM && !ending.get() && drainBegins()) {
        return ForkedFailure.handedBack("the child process was ended together with its worker");
      }
      return ForkedFailure.died(
          ChildDeath.SIGNALLED,
          "the child process was ended by signal "
              + signal
              + " (exit code "
              + code
              + ") while it ran the job",
          said);
    }
    return ForkedFailure.died(
        ChildDeath.EXITED,
        "the child process ended with exit code " + code + " while it ran the job",
        said);
  }

  /**
   * A service manager that stops a whole control group sends SIGTERM to the children as to the
   * worker, whose drain begins a moment later; then the attempt does not count.
   */
  private boolean drainBegins() throws InterruptedException {
    long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(DRAIN_MILLIS);
    while (System.nanoTime() - until < 0) {
      if (terms.draining().getAsBoolean()) {
        return true;
      }
      TimeUnit.MILLISECONDS.sleep(DRAIN_LOOK_MILLIS);
    }
    return false;
  }
}
