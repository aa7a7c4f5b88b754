package dev.millpond.engine;

import dev.millpond.api.CancelResult;
import dev.millpond.api.HandlerModule;
import dev.millpond.api.HandlerOptions;
import dev.millpond.api.Handlers;
import dev.millpond.api.JobHandler;
import dev.millpond.api.JobRequest;
import dev.millpond.api.JobView;
import dev.millpond.api.Jobs;
import dev.millpond.api.RedriveResult;
import dev.millpond.api.SteerResult;
import dev.millpond.api.SubmitOptions;
import dev.millpond.api.SubmitResult;
import dev.millpond.engine.access.KeyRing;
import dev.millpond.engine.access.Keys;
import dev.millpond.engine.audit.Audit;
import dev.millpond.engine.books.BooksReport;
import dev.millpond.engine.fleet.Workers;
import dev.millpond.engine.flow.Flow;
import dev.millpond.engine.lifecycle.Node;
import dev.millpond.engine.lifecycle.store.Schema;
import dev.millpond.engine.query.Activity;
import dev.millpond.engine.query.BulkRedrive;
import dev.millpond.engine.query.Change;
import dev.millpond.engine.query.Count;
import dev.millpond.engine.query.DeadLetterFilter;
import dev.millpond.engine.query.DeadLetterGroups;
import dev.millpond.engine.query.DeadLetterView;
import dev.millpond.engine.query.Health;
import dev.millpond.engine.query.JobFilter;
import dev.millpond.engine.query.JobSummary;
import dev.millpond.engine.query.LogLine;
import dev.millpond.engine.query.Page;
import dev.millpond.engine.query.QueueView;
import dev.millpond.engine.query.Replacement;
import dev.millpond.engine.query.Why;
import dev.millpond.engine.trace.Tracing;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A process's part in a Millpond fleet. Always a producer; a worker after {@link #startWorker}, a
 * candidate for the maintenance after {@link #startMaintenance}. Thread-safe.
 *
 * <pre>{@code
 * try (Millpond millpond = Millpond.connect("jdbc:postgresql://localhost/app?user=app")) {
 *   millpond.registerHandler("greet", Greeting.class, (context, greeting) -> "Hello " + greeting.name());
 *   millpond.startWorker();
 *   millpond.startMaintenance();
 *   millpond.submit(JobRequest.of("greet", new Greeting("World")));
 * }
 * }</pre>
 */
public final class Millpond implements Jobs, Handlers, AutoCloseable {
  private static final Duration CLOSE_WITHIN = Duration.ofSeconds(10);

  private final Node node;

  private Millpond(Node node) {
    this.node = node;
  }

  /** Takes part through PostgreSQL alone, with defaults. */
  public static Millpond connect(String pgUrl) {
    return connect(MillpondConfig.of(pgUrl));
  }

  /** Takes part as configured, with metrics of its own. */
  public static Millpond connect(MillpondConfig config) {
    return connect(config, new SimpleMeterRegistry());
  }

  /**
   * Takes part as configured.
   *
   * @param registry that takes the metrics
   * @throws SchemaException when the schema is not this version's
   * @throws dev.millpond.api.UnavailableException when PostgreSQL does not answer
   */
  public static Millpond connect(MillpondConfig config, MeterRegistry registry) {
    return connect(config, registry, Tracing.NONE);
  }

  /**
   * Takes part as configured, with traces.
   *
   * @param registry that takes the metrics
   * @param tracing that takes the spans, such as {@link
   *     dev.millpond.engine.trace.OpenTelemetryTracing}
   * @throws SchemaException when the schema is not this version's
   * @throws dev.millpond.api.UnavailableException when PostgreSQL does not answer
   */
  public static Millpond connect(MillpondConfig config, MeterRegistry registry, Tracing tracing) {
    return new Millpond(Node.start(config, registry, tracing));
  }

  /**
   * Brings the schema up to date; how many migrations ran.
   *
   * @throws SchemaException when that fails
   */
  public static int migrate(String pgUrl) {
    return Schema.migrate(pgUrl);
  }

  @Override
  public SubmitResult submit(JobRequest request) {
    return submit(request, SubmitOptions.DEFAULT);
  }

  @Override
  public List<SubmitResult> submit(List<JobRequest> requests) {
    return submit(requests, SubmitOptions.DEFAULT);
  }

  @Override
  public List<SubmitResult> submit(List<JobRequest> requests, String requestKey) {
    return submit(requests, SubmitOptions.DEFAULT.withRequestKey(requestKey));
  }

  @Override
  public CompletableFuture<SubmitResult> submitAsync(JobRequest request) {
    return submitAsync(List.of(request)).thenApply(List::getFirst);
  }

  @Override
  public CompletableFuture<List<SubmitResult>> submitAsync(List<JobRequest> requests) {
    return submitAsync(requests, SubmitOptions.DEFAULT);
  }

  @Override
  public SubmitResult submit(JobRequest request, SubmitOptions options) {
    return submit(List.of(request), options).getFirst();
  }

  @Override
  public List<SubmitResult> submit(List<JobRequest> requests, SubmitOptions options) {
    return node.submitter().submit(requests, options);
  }

  @Override
  public CompletableFuture<List<SubmitResult>> submitAsync(
      List<JobRequest> requests, SubmitOptions options) {
    return node.submitter().submitAsync(requests, options);
  }

  @Override
  public Optional<JobView> find(UUID id) {
    return node.queries().find(id);
  }

  /** Why a job is not running; empty when there is none. */
  public Optional<Why> why(UUID id) {
    return node.queries().why(id);
  }

  @Override
  public CancelResult cancel(UUID id) {
    return node.queries().cancel(id);
  }

  @Override
  public SteerResult runNow(UUID id) {
    return node.queries().change(id, Change.runAt(new JobRequest.Start.Now()));
  }

  @Override
  public SteerResult reschedule(UUID id, JobRequest.Start start) {
    return node.queries().change(id, Change.runAt(start));
  }

  @Override
  public SteerResult changeClass(UUID id, String priorityClass) {
    return node.queries().change(id, Change.priorityClass(priorityClass));
  }

  /**
   * Changes run time and priority class of a job at once; all of it or nothing.
   *
   * @throws dev.millpond.api.InvalidJobException when a value is out of its range
   */
  public SteerResult change(UUID id, Change change) {
    return node.queries().change(id, change);
  }

  @Override
  public RedriveResult redrive(UUID id) {
    return node.queries().redrive(id);
  }

  /**
   * Gives all dead letters that match a new life, as far as one bounded call goes.
   *
   * @param expected how many there must be, else nothing is done; empty for any number
   */
  public BulkRedrive redriveAll(DeadLetterFilter filter, OptionalLong expected) {
    return node.redrives().redriveAll(filter, expected);
  }

  /**
   * Submits an edited copy of a dead job and ends the dead one as {@code cancelled}.
   *
   * @param payload JSON text; null for the same as before
   * @param maxAttempts null for the same as before
   * @throws dev.millpond.api.InvalidJobException when a value is out of its range
   */
  public Replacement replaceDeadLetter(
      UUID id, @Nullable String payload, @Nullable Integer maxAttempts) {
    return node.redrives().replace(id, payload, maxAttempts);
  }

  /** One dead letter; empty when the job is not dead or not there. */
  public Optional<DeadLetterView> deadLetter(UUID id) {
    return node.redrives().find(id);
  }

  @Override
  public <P> Millpond registerHandler(
      String kind, Class<P> payload, JobHandler<P> handler, HandlerOptions options) {
    if (node.worker().running()) {
      throw new IllegalStateException("handlers are registered before startWorker()");
    }
    node.handlers().registerHandler(kind, payload, handler, options);
    return this;
  }

  @Override
  public Millpond registerModule(HandlerModule module) {
    if (node.worker().running()) {
      throw new IllegalStateException("handlers are registered before startWorker()");
    }
    node.handlers().registerModule(module);
    return this;
  }

  /** Begins to run jobs of the registered kinds. */
  public void startWorker() {
    node.startWorker();
  }

  /** Takes part in the election of the process that does the maintenance. */
  public void startMaintenance() {
    node.startMaintenance();
  }

  /** Whether this process does the maintenance of the fleet now. */
  public boolean leads() {
    return node.leads();
  }

  /**
   * Refuses all submits that wait for room in a full queue; from now on none waits. To be called
   * first where a process ends.
   */
  public void stopWaiting() {
    node.stopWaiting();
  }

  /**
   * Stops claiming; lets what runs finish, and gives back what has not started or does not finish
   * in time. No attempt is used up.
   *
   * @return whether nothing was left running
   */
  public boolean drain(Duration within) {
    return node.worker().drain(within);
  }

  /**
   * Whether more threads than {@link GuardConfig#abandonedMax()} run on after the hard timeout of
   * their handlers. The worker claims nothing any more: drain it, and start a new process.
   */
  public boolean wornOut() {
    return node.worker().wornOut();
  }

  /**
   * Whether a thread of the writer or the worker has ended by an Error that nobody could handle. It
   * cannot even drain: end this process, and start a new one; its jobs are rescued. Without its
   * writer it refuses submits, and runs nothing more.
   */
  public boolean broken() {
    return node.broken();
  }

  /**
   * Names of threads that have ended by an Error that nobody could handle. Nothing takes their
   * place: drain this process unless it is {@link #broken}, and start a new one. {@link #health}
   * says so too.
   */
  public List<String> lostThreads() {
    return node.lostThreads();
  }

  /**
   * Says that a process of the fleet has died, as only whoever runs in its place can know: what it
   * held is rescued at once instead of after its lease, and what ran in it is suspected (ADR 25).
   *
   * @param nodeId its {@link #nodeId()}
   */
  public void processDied(UUID nodeId) {
    node.processDied(nodeId);
  }

  /** What steers the fleet while it runs: weights. */
  public Flow flow() {
    return node.flow();
  }

  /** What callers have changed. */
  public Audit audit() {
    return node.audit();
  }

  /** Makes and revokes keys of callers. */
  public Keys keys() {
    return node.keys();
  }

  /** The keys as this process knows them: follows them from now on. To be called once. */
  public KeyRing followKeys() {
    return node.followKeys();
  }

  /** The workers of the fleet, and how one is drained. */
  public Workers workers() {
    return node.workers();
  }

  /** All queues with their depths. */
  public List<QueueView> queues() {
    return node.queries().queues();
  }

  /**
   * Jobs, newest first. One call looks at a bounded number of jobs: a page that is {@linkplain
   * Page#partial partial} has found what it has, and its cursor goes on.
   *
   * @param cursor of the page before, null for the first
   * @param limit 1 to 500
   * @throws dev.millpond.engine.query.InvalidCursorException when the cursor is none of this list
   * @throws dev.millpond.engine.query.InvalidFilterException when the limit is out of its range
   * @throws dev.millpond.engine.query.InvalidPathException when the payload's path is none
   */
  public Page<JobSummary> jobs(JobFilter filter, @Nullable String cursor, int limit) {
    return node.queries().jobs(filter, cursor, limit);
  }

  /**
   * Like {@link #jobs}, with all there is of each job but its holder and next step. A page ends, as
   * a partial one, after the job that brings it over 8 MiB.
   */
  public Page<JobView> wholeJobs(JobFilter filter, @Nullable String cursor, int limit) {
    return node.queries().wholeJobs(filter, cursor, limit);
  }

  /**
   * What the runs of a job have logged, oldest line first; empty when there is no such job.
   *
   * @param after cursor of the page before, null for the first
   * @param limit 1 to 500
   * @throws dev.millpond.engine.query.InvalidCursorException when the cursor is none of this list
   * @throws dev.millpond.engine.query.InvalidFilterException when the limit is out of its range
   */
  public Optional<Page<LogLine>> log(UUID id, @Nullable String after, int limit) {
    return node.queries().log(id, after, limit);
  }

  /**
   * Dead letters, newest first.
   *
   * @param cursor of the page before, null for the first
   * @param limit 1 to 500
   * @throws dev.millpond.engine.query.InvalidCursorException when the cursor is none of this list
   * @throws dev.millpond.engine.query.InvalidFilterException when the limit is out of its range
   */
  public Page<DeadLetterView> deadLetters(
      DeadLetterFilter filter, @Nullable String cursor, int limit) {
    return node.queries().deadLetters(filter, cursor, limit);
  }

  /**
   * How many dead letters match: exact up to 100,000, or as far as five seconds reach; beyond that
   * there are at least so many.
   */
  public Count countDeadLetters(DeadLetterFilter filter) {
    return node.queries().countDeadLetters(filter);
  }

  /** What the dead letters that match died of: the newest 10,000 of them, in groups. */
  public DeadLetterGroups deadLetterGroups(DeadLetterFilter filter) {
    return node.queries().deadLetterGroups(filter);
  }

  /** What the fleet has been doing; costs a few milliseconds, however many jobs there are. */
  public Activity activity() {
    return node.queries().activity();
  }

  /** Health of this process by component. */
  public Health health() {
    return node.health();
  }

  /** Identity of this process, new at each start. */
  public UUID nodeId() {
    return node.id();
  }

  /** Checks the books of the whole fleet; takes a while on large ones. */
  public BooksReport checkBooks() {
    return node.checkBooks(Set.of());
  }

  /**
   * Checks the books against what producers were told.
   *
   * @param acknowledged ids of accepted jobs
   */
  public BooksReport checkBooks(Set<UUID> acknowledged) {
    return node.checkBooks(acknowledged);
  }

  /** Drains for up to ten seconds, then stops. */
  @Override
  public void close() {
    node.close(CLOSE_WITHIN);
  }
}
