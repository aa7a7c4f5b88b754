package dev.millpond.engine.submit;

import dev.millpond.api.SubmitOptions;
import dev.millpond.api.SubmitResult.Refused;
import dev.millpond.api.UnavailableException;
import dev.millpond.engine.admission.Admission;
import dev.millpond.engine.admission.Ticket;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.flush.KeyedSubmit;
import dev.millpond.engine.flush.KeyedSubmit.Verdict;
import dev.millpond.engine.flush.Needs;
import dev.millpond.engine.flush.NewJob;
import dev.millpond.engine.flush.SubmitWork;
import dev.millpond.engine.flush.Writer;
import dev.millpond.engine.flush.store.KnownKeys;
import dev.millpond.engine.lifecycle.store.DatabaseException;
import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.metrics.EngineMetrics;
import dev.millpond.engine.metrics.EngineMetrics.Step;
import dev.millpond.engine.threads.LoopThread;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Takes submits past the gates of their queues to the lanes of the writer. Each one is answered: by
 * its lane, as refused, or as given up when its time is over, which begins anew when it has waited
 * for room. Thread-safe.
 */
public final class Entrance implements AutoCloseable {
  private final Writer writer;
  private final Admission admission;
  private final Transactions transactions;
  private final EngineMetrics metrics;
  private final Duration patience;
  private final Deadlines deadlines = new Deadlines();

  /**
   * @param patience how long a caller waits for a lane and the commit
   */
  public Entrance(
      Writer writer,
      Admission admission,
      Transactions transactions,
      EngineMetrics metrics,
      Duration patience) {
    this.writer = writer;
    this.admission = admission;
    this.transactions = transactions;
    this.metrics = metrics;
    this.patience = patience;
    deadlines.start();
  }

  /** Jobs without keys before the gates. */
  private final class Plain extends Ticket {
    private final SubmitWork work;
    private final boolean async;

    Plain(SubmitWork work, SubmitOptions options, boolean async) {
      super(Needs.of(work.jobs()), work.weight(), options.waitAtMost(), options.gone());
      this.work = work;
      this.async = async;
    }

    @Override
    protected boolean over() {
      return work.done().isDone();
    }

    @Override
    protected void waits() {
      work.noDeadline();
    }

    @Override
    protected boolean enter() {
      return send(0);
    }

    /** Its time begins before the lane has it, which may turn it away at once. */
    boolean send(long timeoutNanos) {
      deadlines.add(work, System.nanoTime() + patience.toNanos());
      return take(() -> writer.submit(work, this, timeoutNanos));
    }

    @Override
    protected void refuse(Refused refused) {
      countRefused(work.jobs());
      answer(work.done(), refused, async);
    }
  }

  /** Jobs with keys before the gates. */
  private final class Keyed extends Ticket {
    private final KeyedSubmit submit;
    private final boolean async;
    private volatile long answerByNanos = System.nanoTime() + patience.toNanos();

    Keyed(KeyedSubmit submit, SubmitOptions options, boolean async) {
      super(
          Needs.of(jobs(submit)),
          jobs(submit).stream().mapToInt(NewJob::weight).sum(),
          options.waitAtMost(),
          options.gone());
      this.submit = submit;
      this.async = async;
    }

    @Override
    protected boolean over() {
      return submit.done().isDone();
    }

    @Override
    protected void waits() {
      answerByNanos = waitUntilNanos() + patience.toNanos();
    }

    @Override
    protected boolean enter() {
      return send(0);
    }

    boolean send(long timeoutNanos) {
      answerByNanos = System.nanoTime() + patience.toNanos();
      return take(() -> writer.submit(submit, this, timeoutNanos));
    }

    @Override
    protected void refuse(Refused refused) {
      countRefused(jobs(submit));
      answer(submit.done(), List.of(new Verdict.TurnedAway(refused)), async);
    }
  }

  private static List<NewJob> jobs(KeyedSubmit submit) {
    return submit.items().stream().map(KeyedSubmit.Item::job).toList();
  }

  /** The thread that answers is not to run what users have chained to a future. */
  private static <T extends @Nullable Object> void answer(
      CompletableFuture<T> done, T answer, boolean async) {
    if (async) {
      var unused = done.completeAsync(() -> answer);
    } else {
      done.complete(answer);
    }
  }

  private interface Offer {
    boolean made() throws InterruptedException;
  }

  private static boolean take(Offer offer) {
    try {
      return offer.made();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException("interrupted; nothing was written", false, e);
    }
  }

  /**
   * Brings jobs without keys on their way; their work tells what becomes of them.
   *
   * @param async whether its caller goes on: then nothing here waits
   */
  void enter(SubmitWork work, SubmitOptions options, boolean async) {
    Plain ticket = new Plain(work, options, async);
    String closed = admission.closed(ticket);
    if (closed != null) {
      admission.turnAway(ticket, closed);
    } else if (!ticket.send(async ? 0 : patience.toNanos())) {
      throw full();
    }
  }

  /**
   * Brings jobs with keys on their way. Those that bring no new job pass closed gates.
   *
   * @param async whether its caller goes on
   * @return until when it is to be answered
   */
  AnswerBy enter(KeyedSubmit submit, SubmitOptions options, boolean async) {
    Keyed ticket = new Keyed(submit, options, async);
    String closed = admission.closed(ticket);
    if (closed != null && allKnown(submit)) {
      ticket.pass();
      closed = null;
    }
    if (closed != null) {
      admission.turnAway(ticket, closed);
    } else if (!ticket.send(patience.toNanos())) {
      throw full();
    }
    return () -> ticket.answerByNanos;
  }

  /** Until when a submit is to be answered, by {@link System#nanoTime}; later once it waits. */
  interface AnswerBy {
    long nanos();
  }

  private boolean allKnown(KeyedSubmit submit) {
    try {
      return transactions.read(connection -> KnownKeys.all(connection, submit));
    } catch (DatabaseException e) {
      return false; // it waits, and its lane looks again
    }
  }

  private static UnavailableException full() {
    return new UnavailableException(
        "the writer is as far behind as it may be; nothing was written. Try again", false, null);
  }

  private record Sort(Lane lane, String kind) {}

  private void countRefused(List<NewJob> jobs) {
    Map<Sort, Integer> refused = new HashMap<>();
    for (NewJob job : jobs) {
      Sort sort = new Sort(new Lane(job.queue(), job.priorityClass()), job.kind());
      refused.merge(sort, 1, Integer::sum);
    }
    refused.forEach((sort, n) -> metrics.count(Step.REFUSED, sort.lane(), sort.kind(), n));
  }

  /** Without it, submits are given up by timers of the JDK. */
  public List<LoopThread> threads() {
    return List.of(deadlines.thread());
  }

  @Override
  public void close() {
    deadlines.close();
  }
}
