package dev.millpond.engine.worker.forked;

import dev.millpond.api.AttemptStoppedException;
import dev.millpond.api.FatalJobException;
import dev.millpond.api.JobView.JobError;
import dev.millpond.api.LeaseLostException;
import dev.millpond.api.RetryJobException;
import dev.millpond.engine.JobLimits;
import dev.millpond.engine.submit.JobJson;
import dev.millpond.engine.trace.RemoteTrace;
import dev.millpond.engine.trace.TraceParent;
import dev.millpond.engine.worker.forked.Frame.Verdict;
import dev.millpond.engine.worker.text.Texts;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The program of a child process: makes handlers, runs one job at a time, and ends with its parent.
 *
 * <p>One thread reads what the parent says, so it learns of the parent's end by the end of the
 * stream; another looks whether the parent is still its parent, should somebody else hold the
 * stream open. Either kills what the handlers have started, and this process.
 */
public final class ChildMain {
  /** Where the launching shell has put the pipe of the frames. */
  private static final String CHANNEL = "/proc/self/fd/3";

  private static final int FRAME_MOST =
      Math.max(JobLimits.PAYLOAD_BYTES_MAX, JobLimits.RESULT_BYTES_MAX) + (1 << 20);
  private static final long PARENT_LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
  private static final int CODE_ORPHANED = 70;

  private final FrameReader in;
  private final FrameWriter out;
  private final OutputStream printed = new FileOutputStream(FileDescriptor.out);
  private final Map<String, ChildHandlers> modules = new HashMap<>();
  private final LinkedBlockingQueue<ChildContext> queue = new LinkedBlockingQueue<>(1);
  private volatile @Nullable ChildContext current;

  private ChildMain(InputStream in, OutputStream out) {
    this.in = new FrameReader(in, FRAME_MOST);
    this.out = new FrameWriter(out, FRAME_MOST);
  }

  /** The program. Takes no arguments; all it needs comes as frames. */
  public static void main(String[] arguments) throws IOException {
    InputStream in = new FileInputStream(FileDescriptor.in);
    System.setIn(InputStream.nullInputStream());
    ChildMain child = new ChildMain(in, new FileOutputStream(CHANNEL));
    watchParent();
    child.say(new Frame.Hello(Frame.VERSION, ProcessHandle.current().pid()));
    Thread.ofPlatform().name("millpond-job").start(child::work);
    try {
      child.listen();
    } catch (IOException e) {
      System.err.println("the parent is not understood: " + e.getMessage());
    }
    orphaned();
  }

  /** The parent is gone, or nothing of use: nobody is to be left behind. */
  private static void orphaned() {
    long self = ProcessHandle.current().pid();
    ProcessSession.kill(self, self);
    Runtime.getRuntime().halt(CODE_ORPHANED);
  }

  private static void watchParent() {
    long parent = parent();
    Thread.ofPlatform()
        .daemon()
        .name("millpond-parent-watch")
        .start(() -> {
          while (parent() == parent) {
            // A handler that interrupts all threads does not end this.
            boolean ignored = Thread.interrupted();
            LockSupport.parkNanos(PARENT_LOOK_NANOS);
          }
          orphaned();
        });
  }

  private static long parent() {
    return ProcessHandle.current().parent().map(ProcessHandle::pid).orElse(-1L);
  }

  private void listen() throws IOException {
    for (Frame frame = in.read(); frame != null; frame = in.read()) {
      switch (frame) {
        case Frame.Prepare prepare -> prepare(prepare.modules());
        case Frame.Run run -> {
          ChildContext context = new ChildContext(run, this::say);
          current = context;
          if (!queue.offer(context)) {
            throw new FrameException("a second job before the first has ended");
          }
        }
        case Frame.Stop stop -> {
          ChildContext context = current;
          if (context != null && context.number() == stop.run()) {
            context.stop(stop.reason());
          }
        }
        case Frame.Bye ignored ->
            Thread.ofPlatform().name("millpond-exit").start(() -> System.exit(0));
        case Frame.Hello ignored -> throw unexpected();
        case Frame.Ready ignored -> throw unexpected();
        case Frame.Log ignored -> throw unexpected();
        case Frame.Progress ignored -> throw unexpected();
        case Frame.Result ignored -> throw unexpected();
        case Frame.Failed ignored -> throw unexpected();
      }
    }
  }

  private static FrameException unexpected() {
    return new FrameException("a frame that only children send");
  }

  private void prepare(List<String> names) {
    String problem = null;
    try {
      for (String name : names) {
        module(name);
      }
      warmUp();
    } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
      problem = "the handlers cannot be made in a child process: " + Texts.error(e).stack();
    }
    say(new Frame.Ready(problem));
  }

  /** Loads now what every job needs. */
  private static void warmUp() {
    JobJson.result(JobJson.read("{\"warm\":[1,\"up\"]}", Map.class), JobLimits.BYTES_LEAST);
  }

  private synchronized ChildHandlers module(String name) throws ReflectiveOperationException {
    ChildHandlers handlers = modules.get(name);
    if (handlers == null) {
      handlers = ChildHandlers.of(name);
      modules.put(name, handlers);
    }
    return handlers;
  }

  /** Ends with the process. A thread that dies all the same takes the process with it. */
  private void work() {
    try {
      while (true) {
        ChildContext context;
        try {
          context = queue.take();
        } catch (InterruptedException e) {
          continue; // of a handler that interrupts all threads
        }
        Frame end = run(context, context.asked());
        endOutput(context.asked().mark());
        say(end);
      }
    } catch (Throwable e) {
      System.err.println("the child ends: " + e);
      Runtime.getRuntime().halt(CODE_ORPHANED);
    }
  }

  private Frame run(ChildContext context, Frame.Run run) {
    try {
      ChildHandlers.Entry<?> entry = module(run.module()).find(run.kind());
      if (entry == null) {
        throw new IllegalStateException(
            run.module() + " registers no handler for " + run.kind() + " in a child process");
      }
      return new Frame.Result(run.run(), call(context, run, entry));
    } catch (Throwable thrown) {
      return failed(run.run(), thrown);
    }
  }

  private static <P> @Nullable String call(
      ChildContext context, Frame.Run run, ChildHandlers.Entry<P> entry) throws Exception {
    P payload = JobJson.payload(run.payload(), entry.payload());
    Object result;
    Runnable leaveTrace = enterTrace(run.traceparent());
    context.enter();
    try {
      result = entry.handler().run(context, payload);
    } finally {
      context.leave();
      leaveTrace.run();
    }
    if (run.resultBytes() < 0) {
      return null;
    }
    try {
      return JobJson.result(result, run.resultBytes());
    } catch (IllegalArgumentException e) {
      throw new FatalJobException(String.valueOf(e.getMessage()), e);
    }
  }

  /** For spans of the handler's own, where its class path has OpenTelemetry. */
  private static Runnable enterTrace(@Nullable String traceparent) {
    String sampled = TraceParent.sampled(traceparent);
    if (sampled != null) {
      try {
        return RemoteTrace.enter(sampled);
      } catch (NoClassDefFoundError e) {
        return () -> {};
      }
    }
    return () -> {};
  }

  private static Frame failed(int run, Throwable thrown) {
    JobError error = Texts.error(thrown);
    long delay = 0;
    Verdict verdict =
        switch (thrown) {
          case FatalJobException ignored -> Verdict.FATAL;
          case RetryJobException ignored -> Verdict.RETRY;
          case InterruptedException ignored -> Verdict.STOPPED;
          case AttemptStoppedException ignored -> Verdict.STOPPED;
          case LeaseLostException ignored -> Verdict.STOPPED;
          default -> Verdict.ORDINARY;
        };
    if (thrown instanceof RetryJobException chosen) {
      delay = chosen.delay().toMillis();
    }
    return new Frame.Failed(run, verdict, delay, error.type(), error.message(), error.stack());
  }

  /** The mark goes out at once and alone, past whatever the handler has made of System.out. */
  private void endOutput(String mark) throws IOException {
    System.out.flush();
    System.err.flush();
    printed.write(("\n" + mark + "\n").getBytes(StandardCharsets.UTF_8));
  }

  private void say(Frame frame) {
    try {
      out.write(frame);
    } catch (IOException e) {
      orphaned();
    }
  }
}
