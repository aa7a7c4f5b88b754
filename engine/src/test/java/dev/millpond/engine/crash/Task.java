package dev.millpond.engine.crash;

import dev.millpond.api.Backoff;
import dev.millpond.api.FatalJobException;
import dev.millpond.api.HandlerOptions;
import dev.millpond.api.Handlers;
import dev.millpond.api.JobContext;
import dev.millpond.api.JobRequest;
import java.sql.PreparedStatement;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/**
 * The payload of the tests' jobs: what their handler does, after it has noted in the ledger who
 * runs the job.
 */
record Task(What what) {
  /** The kind that every process of a scene runs. */
  static final String KIND = "crash.task";

  /** A kind that the subject does not know. */
  static final String OTHER_KIND = "crash.other";

  /** A table in which {@link What#EFFECT} counts. */
  static final String EFFECT_TABLE = "CREATE TABLE effect (job_id uuid NOT NULL)";

  private static final HandlerOptions OPTIONS =
      HandlerOptions.DEFAULT.withBackoff(new Backoff(Duration.ofMillis(1), Duration.ofMillis(1)));

  enum What {
    /** Nothing. */
    SUCCEED,
    /** Returns a result. */
    RESULT,
    /** Fails on its first attempt. */
    FAIL_ONCE,
    /** Is fatal under its first token. */
    FATAL_ONCE,
    /** Waits for the gate of its process. */
    WAIT,
    /** Completes in a transaction of its own, with a row in the effect table. */
    EFFECT
  }

  JobRequest request(String queue) {
    return JobRequest.of(KIND, this).withQueue(queue);
  }

  /**
   * Registers the handler.
   *
   * @param who as noted in the ledger
   */
  static void register(
      Handlers handlers, String kind, String who, Journal ledger, CountDownLatch gate) {
    handlers.registerHandler(
        kind,
        Task.class,
        (context, task) -> {
          ledger.add(who + " " + context.jobId());
          return task.run(context, gate);
        },
        OPTIONS);
  }

  private @Nullable Object run(JobContext context, CountDownLatch gate) throws Exception {
    switch (what) {
      case SUCCEED -> {}
      case RESULT -> {
        return "done";
      }
      case FAIL_ONCE -> {
        if (context.attempt() == 1) {
          throw new IllegalStateException("the first attempt fails");
        }
      }
      case FATAL_ONCE -> {
        if (context.leaseToken() == 1) {
          throw new FatalJobException("the first life is fatal");
        }
      }
      case WAIT -> gate.await();
      case EFFECT ->
          context.completeIn(tx -> {
            try (PreparedStatement insert =
                tx.prepareStatement("INSERT INTO public.effect (job_id) VALUES (?)")) {
              insert.setObject(1, context.jobId());
              insert.executeUpdate();
            }
            return null;
          });
    }
    return null;
  }
}
