package dev.millpond.engine.submit;

import dev.millpond.api.IdempotencyConflictException;
import dev.millpond.api.InvalidJobException;
import dev.millpond.api.JobOptions;
import dev.millpond.api.JobOptions.Expiry;
import dev.millpond.api.JobRequest;
import dev.millpond.api.SubmitOptions;
import dev.millpond.api.SubmitResult;
import dev.millpond.api.SubmitResult.Refused;
import dev.millpond.api.UnavailableException;
import dev.millpond.engine.JobLimits;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.WebhookConfig;
import dev.millpond.engine.audit.Actor;
import dev.millpond.engine.dispatch.Lanes;
import dev.millpond.engine.flush.KeyedSubmit;
import dev.millpond.engine.flush.KeyedSubmit.Item;
import dev.millpond.engine.flush.KeyedSubmit.Verdict;
import dev.millpond.engine.flush.NewJob;
import dev.millpond.engine.flush.SubmitWork;
import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.submit.Entrance.AnswerBy;
import dev.millpond.engine.submit.JobRules.Origin;
import dev.millpond.engine.submit.store.QueueStore;
import dev.millpond.engine.trace.SubmitSpan;
import dev.millpond.engine.trace.Tracing;
import dev.millpond.engine.webhook.WebhookUrl;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
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
public final class Submitter {
  private static final byte[] NO_HASH = {};

  private final Entrance entrance;
  private final StartEstimates estimates;
  private final Tracing tracing;
  private final Supplier<UUID> ids;
  private final InstantSource clock;
  private final Lanes lanes;
  private final Transactions transactions;
  private final JobLimits limits;
  private final WebhookConfig webhooks;

  /**
   * @param clock the database's, as far as known
   * @param config limits of jobs, and where webhooks may go
   */
  public Submitter(
      Entrance entrance,
      StartEstimates estimates,
      Tracing tracing,
      Supplier<UUID> ids,
      InstantSource clock,
      Lanes lanes,
      Transactions transactions,
      MillpondConfig config) {
    this.entrance = entrance;
    this.estimates = estimates;
    this.tracing = tracing;
    this.ids = ids;
    this.clock = clock;
    this.lanes = lanes;
    this.transactions = transactions;
    this.limits = config.limits();
    this.webhooks = config.webhooks();
  }

  /** Submits jobs of a producer, waits for room and for the commit. */
  public List<SubmitResult> submit(List<JobRequest> requests, SubmitOptions options) {
    return submit(requests, options, Origin.PRODUCER);
  }

  /**
   * Submits, waits for room and for the commit.
   *
   * @param origin whose jobs they are: only the engine's may use reserved names
   */
  public List<SubmitResult> submit(
      List<JobRequest> requests, SubmitOptions options, Origin origin) {
    List<NewJob> jobs = check(requests, options, origin);
    SubmitSpan span = span(jobs, options);
    try {
      List<SubmitResult> results = submit(requests, jobs, options, span.traceparent());
      span.end(null);
      return results;
    } catch (RuntimeException e) {
      span.end(e);
      throw e;
    }
  }

  private SubmitSpan span(List<NewJob> jobs, SubmitOptions options) {
    NewJob first = jobs.getFirst();
    return tracing.submit(first.kind(), first.queue(), jobs.size(), options.traceparent());
  }

  private List<SubmitResult> submit(
      List<JobRequest> requests, List<NewJob> jobs, SubmitOptions options, @Nullable String trace) {
    if (options.requestKey() != null || hasKeys(requests)) {
      KeyedSubmit submit = keyed(requests, jobs, options.requestKey(), trace);
      return results(submit, join(submit.done(), entrance.enter(submit, options, false)));
    }
    SubmitWork work = new SubmitWork(traced(jobs, trace));
    entrance.enter(work, options, false);
    try {
      // Given up by the deadlines: a timer of its own for each call is dear on a virtual thread.
      return results(work.done().get(), jobs);
    } catch (ExecutionException e) {
      throw unchecked(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException(
          "interrupted while waiting for the commit; the jobs may have been accepted", true, e);
    }
  }

  /** Submits jobs of a producer without waiting. */
  public CompletableFuture<List<SubmitResult>> submitAsync(
      List<JobRequest> requests, SubmitOptions options) {
    List<NewJob> jobs = check(requests, options, Origin.PRODUCER);
    SubmitSpan span = span(jobs, options);
    CompletableFuture<List<SubmitResult>> results;
    try {
      results = submitAsync(requests, jobs, options, span.traceparent());
    } catch (RuntimeException e) {
      span.end(e);
      throw e;
    }
    return tracing.on() ? results.whenComplete((ignored, e) -> span.end(e)) : results;
  }

  private CompletableFuture<List<SubmitResult>> submitAsync(
      List<JobRequest> requests, List<NewJob> jobs, SubmitOptions options, @Nullable String trace) {
    if (options.requestKey() != null || hasKeys(requests)) {
      KeyedSubmit submit = keyed(requests, jobs, options.requestKey(), trace);
      AnswerBy unused = entrance.enter(submit, options, true);
      return submit.done().thenApply(verdicts -> results(submit, verdicts));
    }
    SubmitWork work = new SubmitWork(traced(jobs, trace));
    entrance.enter(work, options, true);
    return work.done().thenApply(refused -> results(refused, jobs));
  }

  private static List<NewJob> traced(List<NewJob> jobs, @Nullable String trace) {
    return trace == null ? jobs : jobs.stream().map(job -> traced(job, trace)).toList();
  }

  private static NewJob traced(NewJob job, @Nullable String trace) {
    return trace == null ? job : job.withOptions(JobJson.withTrace(job.options(), trace));
  }

  private List<NewJob> check(List<JobRequest> requests, SubmitOptions options, Origin origin) {
    String requestKey = options.requestKey();
    if (requestKey == null) {
      return check(requests, origin, false);
    }
    JobRules.key(requestKey);
    List<NewJob> jobs = check(requests, origin, true);
    for (int i = 0; i < requests.size(); i++) {
      if (requestKey.equals(requests.get(i).options().idempotencyKey())) {
        throw new InvalidJobException("/idempotencyKey", "is the key of the whole request", i);
      }
    }
    return jobs;
  }

  private List<SubmitResult> results(@Nullable Refused refused, List<NewJob> jobs) {
    return refused == null ? accepted(jobs) : Collections.nCopies(jobs.size(), refused);
  }

  /** The jobs of a batch have the estimate of its first one. */
  private List<SubmitResult> accepted(List<NewJob> jobs) {
    NewJob first = jobs.getFirst();
    Instant start = estimates.of(first);
    List<SubmitResult> results = new ArrayList<>(jobs.size());
    for (NewJob job : jobs) {
      boolean alike = job.runsNow() && job.queue().equals(first.queue());
      results.add(new SubmitResult.Accepted(job.id(), alike ? start : null));
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

  private KeyedSubmit keyed(
      List<JobRequest> requests,
      List<NewJob> jobs,
      @Nullable String requestKey,
      @Nullable String trace) {
    List<Item> items = new ArrayList<>(jobs.size());
    BodyHash whole = new BodyHash();
    for (int i = 0; i < jobs.size(); i++) {
      String key = requests.get(i).options().idempotencyKey();
      byte[] hash =
          key == null && requestKey == null ? NO_HASH : BodyHash.of(requests.get(i), jobs.get(i));
      items.add(new Item(traced(jobs.get(i), trace), key == null ? null : key(key, hash)));
      whole.add(key);
      whole.add(hash);
    }
    return new KeyedSubmit(
        items,
        requestKey == null ? null : key(requestKey, whole.digest()),
        new CompletableFuture<>());
  }

  private static List<SubmitResult> results(KeyedSubmit submit, List<Verdict> verdicts) {
    if (verdicts.getFirst() instanceof Verdict.TurnedAway away) {
      return Collections.nCopies(submit.items().size(), away.refused());
    }
    List<SubmitResult> results = new ArrayList<>(verdicts.size());
    for (Verdict verdict : verdicts) {
      results.add(
          switch (verdict) {
            case Verdict.Fresh fresh -> new SubmitResult.Accepted(fresh.id());
            case Verdict.Known known -> new SubmitResult.Existing(known.id());
            case Verdict.Conflict conflict ->
                throw new IdempotencyConflictException(conflict.id(), conflict.index());
            case Verdict.TurnedAway away -> away.refused();
          });
    }
    return results;
  }

  private KeyedSubmit.Key key(String key, byte[] bodyHash) {
    return new KeyedSubmit.Key(
        Actor.principalHere(), key, bodyHash, limits.keysLive().toNanos() / 1_000);
  }

  /** Waits for an answer; its time begins anew when the submit has waited for room. */
  private static <T> T join(CompletableFuture<T> future, AnswerBy by) {
    try {
      while (true) {
        try {
          return future.get(Math.max(0, by.nanos() - System.nanoTime()), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
          if (by.nanos() - System.nanoTime() <= 0) {
            throw new UnavailableException(
                "PostgreSQL did not confirm the commit in time; submit again with the same key",
                true,
                e);
          }
        }
      }
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
}
