package dev.millpond.engine.worker.forked;

import dev.millpond.api.Backoff;
import dev.millpond.api.FatalJobException;
import dev.millpond.api.HandlerModule;
import dev.millpond.api.HandlerOptions;
import dev.millpond.api.HandlerOptions.Executor;
import dev.millpond.api.Handlers;
import dev.millpond.api.JobContext;
import dev.millpond.api.RetryJobException;
import io.opentelemetry.api.trace.Span;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Handlers that misbehave in all the ways that a child process has to bear, and some that tell. */
public final class ChildHandlersModule implements HandlerModule {
  static final String KIND = "forked";
  static final String BRIEF = "forked.brief";
  static final HandlerOptions OPTIONS =
      HandlerOptions.DEFAULT
          .withExecutor(Executor.FORKED)
          .withMaxAttempts(1)
          .withBackoff(new Backoff(Duration.ofMillis(1), Duration.ofMillis(2)))
          .withTimeouts(Duration.ofMinutes(1), Duration.ofMinutes(2));
  static final HandlerOptions BRIEF_OPTIONS =
      OPTIONS.withTimeouts(Duration.ofMillis(500), Duration.ofMillis(1000));

  static final String KILLED = "forked.killed";
  static final HandlerOptions KILLED_OPTIONS =
      OPTIONS.withTimeouts(Duration.ofMillis(300), Duration.ofMillis(600));

  /**
   * What a job does.
   *
   * @param file that it writes to, where it does
   */
  public record Deed(String what, @Nullable String file) {}

  @Override
  public void register(Handlers handlers) {
    handlers.registerHandler(KIND, Deed.class, ChildHandlersModule::run, OPTIONS);
    handlers.registerHandler(KILLED, Deed.class, ChildHandlersModule::run, KILLED_OPTIONS);
    handlers.registerHandler(BRIEF, Deed.class, ChildHandlersModule::run, BRIEF_OPTIONS);
  }

  private static @Nullable Object run(JobContext context, Deed deed) throws Exception {
    return switch (deed.what()) {
      case "pid" -> pid();
      case "report" -> report(context);
      case "trace" ->
          List.of(
              String.valueOf(context.traceparent()),
              Span.current().getSpanContext().getTraceId(),
              Span.current().getSpanContext().getSpanId());
      case "throw" -> throw new IllegalStateException("no luck", new IOException("the cause"));
      case "fatal" -> throw new FatalJobException("never");
      case "retry" -> {
        if (context.attempt() == 1) {
          throw new RetryJobException("once more", Duration.ofMillis(1));
        }
        yield "second";
      }
      case "token" -> context.leaseToken();
      case "transaction" -> {
        context.completeIn(connection -> null);
        yield null;
      }
      case "exit" -> {
        System.out.println("about to leave");
        System.exit(7);
        yield null;
      }
      case "halt" -> {
        Runtime.getRuntime().halt(0);
        yield null;
      }
      case "heap" -> heap();
      case "overflow" -> overflow(0);
      case "deaf" -> {
        tell(deed, pid());
        deaf();
        yield null;
      }
      case "patient" -> {
        tell(deed, pid());
        Thread.sleep(Duration.ofMinutes(10));
        yield null;
      }
      case "family" -> {
        Process child = new ProcessBuilder("sh", "-c", "trap '' TERM; sleep 600 & wait").start();
        tell(deed, pid() + "\n" + child.pid());
        deaf();
        yield null;
      }
      case "late" -> late(deed);
      case "flood" -> flood();
      case "threads" -> threads();
      case "interrupt" -> {
        Thread.currentThread().interrupt();
        yield "interrupted";
      }
      default -> throw new FatalJobException("unknown deed " + deed.what());
    };
  }

  private static String pid() {
    return Long.toString(ProcessHandle.current().pid());
  }

  private static void tell(Deed deed, String text) throws IOException {
    if (deed.file() != null) {
      Path file = Path.of(deed.file());
      Path part = file.resolveSibling(file.getFileName() + ".part");
      Files.writeString(part, text, StandardOpenOption.CREATE);
      Files.move(part, file);
    }
  }

  private static Object report(JobContext context) {
    context.progress(50, "half");
    context.log("a line");
    System.out.println("printed");
    System.err.print("printed without an end of line");
    return List.of(
        context.jobId().toString(), context.kind(), context.queue(), context.attempt(), pid());
  }

  private static Object heap() {
    List<byte[]> all = new ArrayList<>();
    while (all.size() < 1_000_000) {
      all.add(new byte[1 << 20]);
    }
    return all.size();
  }

  private static int overflow(int depth) {
    return depth < 0 ? 0 : overflow(depth + 1) + 1;
  }

  @SuppressWarnings("CatchAndPrintStackTrace")
  private static void deaf() {
    while (true) {
      try {
        Thread.sleep(1);
      } catch (Throwable e) {
        Thread.interrupted();
      }
    }
  }

  /** Ends well, but a moment after its hard timeout, and holds up the end of its process. */
  private static Object late(Deed deed) throws IOException {
    Runtime.getRuntime().addShutdownHook(new Thread(ChildHandlersModule::deaf));
    tell(deed, pid());
    long until =
        System.nanoTime()
            + KILLED_OPTIONS.hardTimeout().toNanos()
            + TimeUnit.MILLISECONDS.toNanos(60);
    while (System.nanoTime() - until < 0) {
      Thread.onSpinWait();
    }
    return "too late";
  }

  private static Object flood() {
    String line = "x".repeat(200);
    for (int i = 0; i < 50_000; i++) {
      System.out.println(line);
    }
    return "flooded";
  }

  private static @Nullable Object threads() throws InterruptedException {
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      Thread thread = new Thread(ChildHandlersModule::deaf);
      thread.setDaemon(true);
      thread.start();
      threads.add(thread);
    }
    threads.getFirst().join();
    return null;
  }
}
