package dev.millpond.engine.submit;

import dev.millpond.api.IdempotencyConflictException;
import dev.millpond.api.InvalidJobException;
import dev.millpond.api.JobOptions;
import dev.millpond.api.JobOptions.Expiry;
import dev.millpond.api.JobRequest;
import dev.millpond.api.SubmitResult;
import dev.millpond.api.UnavailableException;
import dev.millpond.engine.JobLimits;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.WebhookConfig;
import dev.millpond.engine.dispatch.Lanes;
import dev.millpond.engine.flush.KeyedSubmit;
import dev.millpond.engine.flush.KeyedSubmit.Item;
import dev.millpond.engine.flush.KeyedSubmit.Verdict;
import dev.millpond.engine.flush.NewJob;
import dev.millpond.engine.flush.SubmitWork;
import dev.millpond.engine.flush.Writer;
import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.submit.JobRules.Origin;
import dev.millpond.engine.submit.store.QueueStore;
import dev.millpond.engine.threads.LoopThread;
import dev.millpond.engine.webhook.WebhookUrl;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Turns requests into jobs and hands them to the writer. Thread-safe. */
public final class Submitter implements AutoCloseable {
  /** All submits of a process without users of their own. */
  private static final String PRINCIPAL = "default";

  private static final byte[] NO_HASH = {};

  private final Writer writer;
  private final Supplier<UUID> ids;
  private final InstantSource clock;
  private final Lanes lanes;
  private final Transactions transactions;
  private final JobLimits limits;
  private final WebhookConfig webhooks;
  private final Duration patience;
  private final Deadlines deadlines = new Deadlines();

  /**
   * @param clock the database's, as far as known
   * @param config limits of jobs, and where webhooks may go
   * @param patience how long a caller waits for room and commit
   */
  public Submitter(
      Writer writer,
      Supplier<UUID> ids,
      InstantSource clock,
      Lanes lanes,
      Transactions transactions,
      MillpondConfig config,
      Duration patience) {
    this.writer = writer;
    this.ids = ids;
    this.clock = clock;
    this.lanes = lanes;
    this.transactions = transactions;
    this.limits = config.limits();
    this.webhooks = config.webhooks();
    this.patience = patience;
    deadlines.start();
  }

  /** Submits jobs of a producer and waits for the commit. */
  public List<SubmitResult> submit(List<JobRequest> requests) {
    return submit(requests, Origin.PRODUCER);
  }

  /**
   * Submits and waits for the commit.
   *
   * @param origin whose jobs they are: only the engine's may use reserved names
   */
  public List<SubmitResult> submit(List<JobRequest> requests, Origin origin) {
    long deadline = System.nanoTime() + patience.toNanos();
    List<NewJob> jobs = check(requests, origin, false);
    if (hasKeys(requests)) {
      return join(keyed(requests, jobs, null, deadline), deadline);
    }
    SubmitWork work = new SubmitWork(jobs);
    offer(work, patience.toNanos());
    deadlines.add(work, deadline);
    try {
      // Given up by the deadlines: a timer of its own for each call is dear on a virtual thread.
      work.done().get();
    } catch (ExecutionException e) {
      throw unchecked(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException(
          "interrupted while waiting for the commit; the jobs may have been accepted", true, e);
    }
    return accepted(jobs);
  }

  /** Submits jobs of a producer under a key of the whole request and waits for the commit. */
  public List<SubmitResult> submit(List<JobRequest> requests, String requestKey) {
    long deadline = System.nanoTime() + patience.toNanos();
    JobRules.key(requestKey);
    List<NewJob> jobs = check(requests, Origin.PRODUCER, true);
    for (int i = 0; i < requests.size(); i++) {
      if (requestKey.equals(requests.get(i).options().idempotencyKey())) {
        throw new InvalidJobException("/idempotencyKey", "is the key of the whole request", i);
      }
    }
    return join(keyed(requests, jobs, requestKey, deadline), deadline);
  }

  /** Submits jobs of a producer without waiting. */
  public CompletableFuture<List<SubmitResult>> submitAsync(List<JobRequest> requests) {
    return submitAsync(requests, Origin.PRODUCER);
  }

  /** Submits without waiting; as {@link #submit(List, Origin)}. */
  public CompletableFuture<List<SubmitResult>> submitAsync(
      List<JobRequest> requests, Origin origin) {
    long deadline = System.nanoTime() + patience.toNanos();
    List<NewJob> jobs = check(requests, origin, false);
    if (hasKeys(requests)) {
      return keyed(requests, jobs, null, deadline);
    }
    SubmitWork work = new SubmitWork(jobs);
    offer(work, 0);
    deadlines.add(work, deadline);
    return work.done().thenApply(nothing -> accepted(jobs));
  }

  private void offer(SubmitWork work, long timeoutNanos) {
    try {
      if (!writer.submit(work, timeoutNanos)) {
        throw full();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException("interrupted; nothing was written", false, e);
    }
  }

  private static UnavailableException full() {
    return new UnavailableException(
        "the writer is as far behind as it may be; nothing was written. Try again", false, null);
  }

  private static List<SubmitResult> accepted(List<NewJob> jobs) {
    List<SubmitResult> results = new ArrayList<>(jobs.size());
    for (NewJob job : jobs) {
      results.add(new SubmitResult.Accepted(job.id()));
    }
    return results;
  }

  private static boolean hasKeys(List<JobRequest> requests) {
    for (JobRequest request : requests) {
      if (request.options().idempotencyKey() != null) {
        return true;
      }
    }
    return false;
  }

  private List<NewJob> check(List<JobRequest> requests, Origin origin, boolean underRequestKey) {
    if (requests.isEmpty() || requests.size() > limits.batchJobs()) {
      throw new InvalidJobException(
          "/jobs", "must be 1 to " + limits.batchJobs() + ", are " + requests.size());
    }
    Instant now = clock.instant();
    List<NewJob> jobs = new ArrayList<>(requests.size());
    for (int i = 0; i < requests.size(); i++) {
      try {
        JobRequest request = requests.get(i);
        boolean keyed = underRequestKey || request.options().idempotencyKey() != null;
        jobs.add(check(request, now, origin, keyed));
      } catch (InvalidJobException e) {
        throw requests.size() == 1 ? e : e.at(i);
      }
    }
    // Not before: a request that is refused makes no queue.
    for (int i = 0; i < requests.size(); i++) {
      try {
        ensure(requests.get(i).queue());
      } catch (InvalidJobException e) {
        throw requests.size() == 1 ? e : e.at(i);
      }
    }
    return jobs;
  }

  private void ensure(String queue) {
    if (!lanes.knows(queue)) {
      transactions.callOrThrow(tx -> {
        QueueStore.ensure(tx, queue);
        return true;
      });
      lanes.learn(List.of(queue));
    }
  }

  private NewJob check(JobRequest request, Instant now, Origin origin, boolean keyed) {
    JobRules.check(request, now, lanes.classes(), origin, keyed);
    WebhookUrl.check(request.options().webhook(), webhooks);
    String payload = JobJson.payload(request.payload(), limits.payloadBytes());
    JobOptions options = absolute(request.options(), now);
    return new NewJob(
        ids.get(),
        request.queue(),
        request.priorityClass(),
        request.kind(),
        payload,
        JobJson.options(options),
        NewJob.Start.of(request.start(), now),
        options.expiry() instanceof Expiry.At at ? at.expiresAt() : null);
  }

  /** With an expiry as an instant, as exact as PostgreSQL's. */
  private static JobOptions absolute(JobOptions options, Instant now) {
    return switch (options.expiry()) {
      case null -> options;
      case Expiry.At at -> options.withExpiresAt(at.expiresAt().truncatedTo(ChronoUnit.MICROS));
      case Expiry.In in ->
          options.withExpiresAt(now.plus(in.expiresIn()).truncatedTo(ChronoUnit.MICROS));
    };
  }

  private CompletableFuture<List<SubmitResult>> keyed(
      List<JobRequest> requests,
      List<NewJob> jobs,
      @Nullable String requestKey,
      long deadlineNanos) {
    List<Item> items = new ArrayList<>(jobs.size());
    BodyHash whole = new BodyHash();
    for (int i = 0; i < jobs.size(); i++) {
      String key = requests.get(i).options().idempotencyKey();
      byte[] hash =
          key == null && requestKey == null ? NO_HASH : BodyHash.of(requests.get(i), jobs.get(i));
      items.add(new Item(jobs.get(i), key == null ? null : key(key, hash)));
      whole.add(key);
      whole.add(hash);
    }
    KeyedSubmit submit =
        new KeyedSubmit(
            items,
            requestKey == null ? null : key(requestKey, whole.digest()),
            new CompletableFuture<>());
    try {
      if (!writer.submit(submit, deadlineNanos - System.nanoTime())) {
        throw full();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException("interrupted; nothing was written", false, e);
    }
    return submit.done().thenApply(Submitter::results);
  }

  private static List<SubmitResult> results(List<Verdict> verdicts) {
    List<SubmitResult> results = new ArrayList<>(verdicts.size());
    for (Verdict verdict : verdicts) {
      results.add(
          switch (verdict) {
            case Verdict.Fresh fresh -> new SubmitResult.Accepted(fresh.id());
            case Verdict.Known known -> new SubmitResult.Existing(known.id());
            case Verdict.Conflict conflict ->
                throw new IdempotencyConflictException(conflict.id(), conflict.index());
          });
    }
    return results;
  }

  private KeyedSubmit.Key key(String key, byte[] bodyHash) {
    return new KeyedSubmit.Key(PRINCIPAL, key, bodyHash, limits.keysLive().toNanos() / 1_000);
  }

  private static <T> T join(CompletableFuture<T> future, long deadlineNanos) {
    try {
      return future.get(Math.max(0, deadlineNanos - System.nanoTime()), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw new UnavailableException(
          "PostgreSQL did not confirm the commit in time; submit again with the same key", true, e);
    } catch (ExecutionException e) {
      throw unchecked(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException(
          "interrupted while waiting for the commit; the jobs may have been accepted", true, e);
    }
  }

  private static RuntimeException unchecked(@Nullable Throwable cause) {
    return switch (cause) {
      case null -> new IllegalStateException("failed without a cause");
      case CompletionException wrapped -> unchecked(wrapped.getCause());
      case RuntimeException e -> e;
      default ->
          new UnavailableException("PostgreSQL refused it: " + cause.getMessage(), false, cause);
    };
  }

  /** Those of its own; without them it goes on all the same. */
  public List<LoopThread> threads() {
    return List.of(deadlines.thread());
  }

  @Override
  public void close() {
    deadlines.close();
  }
}
