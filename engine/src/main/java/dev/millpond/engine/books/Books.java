package dev.millpond.engine.books;

import dev.millpond.engine.books.BooksReport.Finding;
import dev.millpond.engine.books.store.BooksStore;
import dev.millpond.engine.dispatch.Claimed;
import dev.millpond.engine.dispatch.DispatchException;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.Lanes;
import dev.millpond.engine.dispatch.store.DispatchStore;
import dev.millpond.engine.dispatch.streams.StreamsKeeper;
import dev.millpond.engine.lifecycle.store.Transactions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;

/**
 * Checks the promises over PostgreSQL, Redis and, where given, a client's journal of acknowledged
 * submits: each acknowledged job has exactly one holder or one outcome, tokens agree, each streamed
 * row is on its stream or about to be repaired, nothing unexpected.
 *
 * <p>On a live system much is on its way; so a finding counts only when all looks find it
 * unchanged, the last of them some time after the first. When nothing is left to be found again the
 * looks end.
 */
public final class Books {
  /** Findings of one rule that are listed. */
  public static final int FINDINGS_MAX = 100;

  /** Of the time, after which the second look comes; the pauses grow from there. */
  private static final int FIRST_SHARE = 16;

  private static final int GROWTH = 3;

  private final Transactions transactions;
  private final List<StreamsKeeper> keepers;
  private final Lanes lanes;
  private final Duration apart;

  /**
   * @param keepers of all Redis servers in shard order; empty without Redis
   * @param apart between the first look and the last: longer than repairs take
   */
  public Books(
      Transactions transactions, List<StreamsKeeper> keepers, Lanes lanes, Duration apart) {
    this.transactions = transactions;
    this.keepers = List.copyOf(keepers);
    this.lanes = lanes;
    this.apart = apart;
  }

  /** Checks without a journal. */
  public BooksReport check() {
    return check(Set.of());
  }

  /**
   * Checks.
   *
   * @param acknowledged ids that a producer was told are accepted
   */
  public BooksReport check(Set<UUID> acknowledged) {
    BooksReport last = look(acknowledged);
    Set<Finding> always = new HashSet<>(last.findings());
    long until = System.nanoTime() + apart.toNanos();
    long pause = apart.toNanos() / FIRST_SHARE;
    for (long left = apart.toNanos(); left > 0 && !always.isEmpty(); ) {
      LockSupport.parkNanos(Math.min(left, pause));
      pause *= GROWTH;
      left = until - System.nanoTime();
      last = look(acknowledged);
      always.retainAll(new HashSet<>(last.findings()));
    }
    return new BooksReport(last.jobs(), last.outcomes(), last.live(), List.copyOf(always));
  }

  private BooksReport look(Set<UUID> acknowledged) {
    List<Finding> findings = new ArrayList<>();
    BooksStore.Counts counts =
        transactions.call(tx -> {
          findings.addAll(BooksStore.findings(tx, FINDINGS_MAX));
          findings.addAll(BooksStore.unknown(tx, acknowledged, FINDINGS_MAX));
          return BooksStore.counts(tx);
        });
    findings.addAll(streams());
    return new BooksReport(counts.jobs(), counts.outcomes(), counts.live(), findings);
  }

  /** Entries without a row, and rows that are on no stream; PostgreSQL is read first. */
  private List<Finding> streams() {
    List<Finding> findings = new ArrayList<>();
    if (keepers.isEmpty()) {
      return findings;
    }
    lanes.learn(transactions.call(BooksStore::queues));
    transactions.call(DispatchStore::sorts).forEach(sort -> lanes.learn(sort.lane()));
    for (Lane lane : lanes.ofFleet()) {
      Set<UUID> sent = new HashSet<>(transactions.call(tx -> BooksStore.sent(tx, lane)));
      Set<UUID> present = new HashSet<>();
      try {
        for (StreamsKeeper keeper : keepers) {
          for (Claimed entry : keeper.entries(lane)) {
            present.add(entry.batch().id());
          }
        }
      } catch (DispatchException e) {
        findings.add(new Finding("redis-unreachable", lane.toString(), "cannot be checked"));
        return findings;
      }
      Set<UUID> rows = transactions.call(tx -> BooksStore.existing(tx, present));
      for (UUID id : sent) {
        if (!present.contains(id)) {
          findings.add(
              new Finding("vanished-entry", id.toString(), "marked as sent, on no stream"));
        }
      }
      for (UUID id : present) {
        if (!rows.contains(id)) {
          findings.add(new Finding("orphan-entry", id.toString(), "on a stream, without a row"));
        }
      }
    }
    return findings;
  }
}
