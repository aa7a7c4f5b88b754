package dev.millpond.chaos.campaign;

import dev.millpond.chaos.campaign.Finding.Rule;
import dev.millpond.chaos.fleet.Fleet;
import dev.millpond.chaos.journal.Asked;
import dev.millpond.chaos.journal.Asked.Answer;
import dev.millpond.chaos.journal.Journal;
import dev.millpond.chaos.load.Clients;
import dev.millpond.chaos.store.Tables;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.books.BooksReport;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/** How a fleet that has worked comes to its end: its jobs, its books, its processes. Stateless. */
final class FleetEnd {
  /**
   * No job ends for so long, without a fault: they are lost. A connection that a fault has left
   * half open holds a handler's own transaction, and roles that are not prompt (ADR 26), for the 60
   * s of its socket's timeout.
   */
  private static final Duration STUCK = Duration.ofSeconds(90);

  private FleetEnd() {}

  /** Waits until all jobs have ended, or for too long none has. */
  static void awaitJobs(Tables tables, Watcher watcher, long lookMillis)
      throws InterruptedException, SQLException {
    long least = Long.MAX_VALUE;
    long leastAt = System.nanoTime();
    for (long open = tables.openJobs(); open > 0; open = tables.openJobs()) {
      if (open < least) {
        least = open;
        leastAt = System.nanoTime();
      }
      if (System.nanoTime() - leastAt > STUCK.toNanos()) {
        watcher.says(open + " jobs do not end");
        return;
      }
      TimeUnit.MILLISECONDS.sleep(lookMillis);
    }
  }

  /** Checks the books, ends the processes, and says what was wrong with them or who asked them. */
  static List<Finding> end(Fleet fleet, Journal journal, Steering steering, Clients clients) {
    List<Finding> findings = new ArrayList<>(books(fleet, journal));
    List<String> defects = new ArrayList<>(steering.defects());
    defects.addAll(clients.defects());
    fleet.members().forEach(member -> defects.addAll(member.ownEnds()));
    fleet
        .terminate(fleet.stopPatience())
        .forEach((member, how) -> defects.add(member + " was told to stop, and " + how));
    defects.forEach(defect -> findings.add(new Finding(Rule.DEFECT, defect)));
    return findings;
  }

  private static List<Finding> books(Fleet fleet, Journal journal) {
    Set<UUID> acknowledged = new HashSet<>();
    for (Asked asked : journal.requests()) {
      if (asked.answer() == Answer.OK) {
        acknowledged.addAll(asked.ids());
      }
    }
    try (Millpond millpond = Millpond.connect(fleet.config())) {
      BooksReport books = millpond.checkBooks(acknowledged);
      return books.findings().stream()
          .map(finding -> new Finding(Rule.BOOKS, finding.toString()))
          .toList();
    }
  }
}
