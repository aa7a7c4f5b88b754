package dev.millpond.chaos.campaign;

import dev.millpond.chaos.campaign.Finding.Rule;
import dev.millpond.chaos.journal.Asked;
import dev.millpond.chaos.journal.Asked.Answer;
import dev.millpond.chaos.journal.Run;
import dev.millpond.chaos.journal.Run.End;
import dev.millpond.chaos.store.Tables.JobRow;
import dev.millpond.chaos.work.Payment;
import dev.millpond.chaos.work.Work;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/**
 * Compares what the clients were told, what the handlers did and what PostgreSQL holds, when
 * nothing is under way any more. Give it all requests, runs and payments, then each job, then ask
 * for the verdict. Not thread-safe.
 */
public final class Checks {
  /** At so many deaths of its process a job that ran alone is buried as poison (ADR 25). */
  private static final int DEATHS_OF_POISON = 2;

  /** How far off the database's clock a node may take it to be: half of a slow round trip. */
  static final long EARLY_MOST_MILLIS = 100;

  /** Findings of one rule that are kept. */
  static final int FINDINGS_MOST = 50;

  private static final ObjectMapper JSON = new ObjectMapper();

  private final long seed;
  private final NavigableMap<Long, Asked> requests = new TreeMap<>();
  private final Map<UUID, List<Run>> runs = new HashMap<>();
  private final Map<UUID, List<Payment>> payments = new HashMap<>();
  private final BitSet there = new BitSet();
  private final Set<UUID> known = new HashSet<>();
  private final List<Finding> findings = new ArrayList<>();
  private long succeededRuns;
  private long jobs;
  private long ended;
  private long extraRuns;
  private final List<UsedUp> usedUp = new ArrayList<>();
  private long buried;
  private long earliest;
  private final int limit;
  private final AtOnce limited = new AtOnce();

  /**
   * Checks of a campaign.
   *
   * @param seed of the jobs
   * @param limit jobs of the limited queue at a time; 0 for none
   */
  public Checks(
      long seed,
      int limit,
      Collection<Asked> asked,
      Collection<Run> allRuns,
      Collection<Payment> allPayments) {
    this.seed = seed;
    this.limit = limit;
    asked.forEach(request -> requests.put(request.first(), request));
    for (Run run : allRuns) {
      runs.computeIfAbsent(run.job(), id -> new ArrayList<>(1)).add(run);
      succeededRuns += run.end() == End.SUCCEEDED ? 1 : 0;
    }
    for (Payment payment : allPayments) {
      payments.computeIfAbsent(payment.jobId(), id -> new ArrayList<>(1)).add(payment);
    }
  }

  /** Looks at a job. */
  public void job(JobRow row) {
    jobs++;
    known.add(row.id());
    long number = number(row.payload());
    Map.Entry<Long, Asked> entry = number < 0 ? null : requests.floorEntry(number);
    Asked asked = entry == null ? null : entry.getValue();
    if (asked == null || number >= asked.first() + asked.count()) {
      found(Rule.UNEXPECTED, "job " + row.id() + ": nobody asked for it, " + row.payload());
      return;
    }
    Work work = Work.of(seed, number);
    if (!row.kind().equals(work.kind()) || !row.payload().equals(work.payload())) {
      found(
          Rule.UNEXPECTED,
          "job %s: asked for %s %s, is %s %s"
              .formatted(row.id(), work.kind(), work.payload(), row.kind(), row.payload()));
    }
    if (asked.answer() == Answer.REFUSED) {
      found(Rule.UNEXPECTED, "job " + row.id() + ", number " + number + ": it had been refused");
    }
    int numbered = Math.toIntExact(number);
    if (there.get(numbered)) {
      found(Rule.UNEXPECTED, "job " + row.id() + ": number " + number + " is there twice");
    }
    there.set(numbered);
    if (asked.answer() == Answer.OK
        && !asked.ids().get((int) (number - asked.first())).equals(row.id())) {
      found(Rule.UNEXPECTED, "job " + row.id() + ": number " + number + " has another id");
    }
    early(row, asked, work);
    end(row, work);
  }

  /** Its time is counted from after the journal has it, so it cannot come before this. */
  private void early(JobRow row, Asked asked, Work work) {
    if (work.delayMillis() == 0) {
      return;
    }
    long due = asked.askedMillis() + work.delayMillis();
    for (Run run : runs.getOrDefault(row.id(), List.of())) {
      earliest = Math.max(earliest, due - run.startedMillis());
      if (due - run.startedMillis() > EARLY_MOST_MILLIS) {
        found(
            Rule.EARLY,
            "job %s, number %d: run %s began %d ms before its time"
                .formatted(row.id(), work.number(), run.name(), due - run.startedMillis()));
      }
    }
  }

  private void end(JobRow row, Work work) {
    List<Run> ofJob = runs.getOrDefault(row.id(), List.of());
    String about = "job " + row.id() + ", number " + work.number();
    List<Payment> paid = payments.getOrDefault(row.id(), List.of());
    if (!"succeeded".equals(row.outcome())) {
      if (paid.isEmpty() && isBuried(row, ofJob)) {
        buried++;
        return;
      }
      String state =
          row.deadReason() != null
              ? "dead letter, " + row.deadReason()
              : row.outcome() != null ? row.outcome() : "phase " + row.phase();
      found(Rule.LOST, about + ": has not succeeded, " + state);
      if (!paid.isEmpty()) {
        found(Rule.DOUBLE, about + ": has not succeeded, and paid " + paid.size() + " times");
      }
      return;
    }
    ended++;
    long onPurpose = ofJob.stream().filter(run -> run.end() == End.FAILED_ON_PURPOSE).count();
    extraRuns += Math.max(0, ofJob.size() - 1 - Math.min(onPurpose, work.fails()));
    usedUp.addAll(UsedUp.of(row.id(), ofJob, row.attempt()));
    token(row, ofJob, about);
    String winner = winner(row.result());
    Run run = ofJob.stream().filter(each -> each.name().equals(winner)).findFirst().orElse(null);
    if (run == null || run.token() != row.token()) {
      found(
          Rule.STALE,
          "%s: ended at token %d with the result of run %s, which had token %s"
              .formatted(about, row.token(), winner, run == null ? "none" : run.token()));
    } else if (run.end() != End.SUCCEEDED && !work.kind().equals(Work.PAY)) {
      found(Rule.DOUBLE, about + ": ended by run " + winner + ", which is " + run.end());
    }
    if (work.queue().equals(Work.LIMITED_QUEUE)) {
      limited(row, ofJob, run);
    }
    if (work.kind().equals(Work.PAY) ? !paidOnce(paid, row, winner) : !paid.isEmpty()) {
      found(
          Rule.DOUBLE,
          "%s, ended at token %d by run %s: paid %s".formatted(about, row.token(), winner, paid));
    }
  }

  /** Runs whose end was taken: the one that ended the job, and failures that used an attempt up. */
  private void limited(JobRow row, List<Run> ofJob, @Nullable Run winner) {
    for (Run run : ofJob) {
      boolean taken =
          run.equals(winner)
              ? run.token() == row.token() && run.end() == End.SUCCEEDED
              : run.end() == End.FAILED_ON_PURPOSE
                  && ofJob.stream()
                      .anyMatch(next ->
                          next.token() == run.token() + 1 && next.attempt() == run.attempt() + 1);
      if (taken) {
        limited.add(run);
      }
    }
  }

  /** The rule for jobs that kill their process, met by faults: the only end but success. */
  private static boolean isBuried(JobRow row, List<Run> ofJob) {
    return "poison".equals(row.deadReason())
        && ofJob.stream().filter(run -> run.end() == End.OPEN).map(Run::pid).distinct().count()
            >= DEATHS_OF_POISON;
  }

  /** A run under a later token began after this end could not be taken any more. */
  private void token(JobRow row, List<Run> ofJob, String about) {
    for (Run run : ofJob) {
      if (run.token() > row.token()) {
        found(
            Rule.STALE,
            "%s: ended at token %d, though run %s has token %d"
                .formatted(about, row.token(), run.name(), run.token()));
      }
    }
  }

  private static boolean paidOnce(List<Payment> paid, JobRow row, @Nullable String winner) {
    return paid.size() == 1
        && paid.getFirst().token() == row.token()
        && paid.getFirst().run().equals(winner);
  }

  /** Attempts that faults have used up, of the jobs so far that have ended well. */
  List<UsedUp> usedUp() {
    return List.copyOf(usedUp);
  }

  /** After all jobs. */
  public Verdict verdict() {
    Map<Answer, Long> counts = new EnumMap<>(Answer.class);
    long unknownThere = 0;
    for (Asked asked : requests.values()) {
      counts.merge(asked.answer(), (long) asked.count(), Long::sum);
      int first = Math.toIntExact(asked.first());
      int found = there.get(first, first + asked.count()).cardinality();
      if (asked.answer() == Answer.OK && found < asked.count()) {
        found(
            Rule.LOST,
            "%d of the %d jobs from number %d were acknowledged and are not there"
                .formatted(asked.count() - found, asked.count(), asked.first()));
      }
      if (asked.answer() == Answer.UNKNOWN) {
        unknownThere += found;
        if (found > 0 && found < asked.count()) {
          found(
              Rule.UNEXPECTED,
              "%d of the %d jobs from number %d are there: a list is taken as a whole"
                  .formatted(found, asked.count(), asked.first()));
        }
      }
    }
    for (UUID id : runs.keySet()) {
      if (!known.contains(id)) {
        found(Rule.UNEXPECTED, "job " + id + ": has run, and is not there");
      }
    }
    for (UUID id : payments.keySet()) {
      if (!known.contains(id)) {
        found(Rule.DOUBLE, "job " + id + ": has paid, and is not there");
      }
    }
    int limitedMost = limited.most();
    if (limit > 0 && limitedMost > limit) {
      found(
          Rule.LIMIT,
          "%d jobs of queue %s ran at once, its limit is %d"
              .formatted(limitedMost, Work.LIMITED_QUEUE, limit));
    }
    return new Verdict(
        counts.getOrDefault(Answer.OK, 0L),
        counts.getOrDefault(Answer.REFUSED, 0L),
        counts.getOrDefault(Answer.UNKNOWN, 0L),
        unknownThere,
        jobs,
        ended,
        runs.values().stream().mapToLong(List::size).sum(),
        extraRuns,
        Math.max(0, succeededRuns - ended),
        usedUp.size(),
        buried,
        earliest,
        limitedMost,
        findings);
  }

  private void found(Rule rule, String what) {
    if (findings.stream().filter(finding -> finding.rule() == rule).count() < FINDINGS_MOST) {
      findings.add(new Finding(rule, what));
    }
  }

  private static long number(String payload) {
    try {
      return JSON.readTree(payload).path("number").asLong(-1);
    } catch (JacksonException e) {
      return -1;
    }
  }

  private static @Nullable String winner(@Nullable String result) {
    if (result == null) {
      return null;
    }
    try {
      JsonNode run = JSON.readTree(result).path("run");
      return run.isString() ? run.asString() : null;
    } catch (JacksonException e) {
      return null;
    }
  }
}
