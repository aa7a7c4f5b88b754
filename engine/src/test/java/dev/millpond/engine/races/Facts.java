package dev.millpond.engine.races;

import dev.millpond.engine.books.BooksReport.Finding;
import dev.millpond.engine.books.store.BooksStore;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What the tables say after the rounds of a chunk, and what must not be. */
final class Facts {
  private static final int FINDINGS_MAX = 20;

  private record Outcome(String outcome, int token, @Nullable UUID worker) {}

  private record State(String phase, int token, boolean cancelRequested) {}

  private final Map<UUID, Outcome> outcomes = new HashMap<>();
  private final Map<UUID, State> states = new HashMap<>();
  private final Map<UUID, Integer> highestNamed = new HashMap<>();
  private final Set<UUID> fedAndClaimed = new HashSet<>();
  private final List<Finding> books;

  private Facts(List<Finding> books) {
    this.books = books;
  }

  static Facts read(Connection tx) throws SQLException {
    Facts facts = new Facts(BooksStore.findings(tx, FINDINGS_MAX));
    try (Statement statement = tx.createStatement()) {
      facts.read(statement);
    }
    return facts;
  }

  private void read(Statement statement) throws SQLException {
    try (ResultSet row =
        statement.executeQuery(
            "SELECT job_id, outcome, lease_token, worker_id FROM millpond.job_outcome")) {
      while (row.next()) {
        outcomes.put(
            id(row), new Outcome(row.getString(2), row.getInt(3), row.getObject(4, UUID.class)));
      }
    }
    try (ResultSet row =
        statement.executeQuery(
            "SELECT job_id, phase, lease_token, cancel_requested FROM millpond.job_state")) {
      while (row.next()) {
        states.put(id(row), new State(row.getString(2), row.getInt(3), row.getBoolean(4)));
      }
    }
    try (ResultSet row =
        statement.executeQuery(
            """
            SELECT n.job_id, max(coalesce(n.token, 1)),
                   bool_or(d.sent_at IS NOT NULL AND d.claimed_by IS NOT NULL)
            FROM millpond.dispatch d
            CROSS JOIN LATERAL unnest(d.job_ids, d.tokens) AS n (job_id, token) GROUP BY n.job_id
            """)) {
      while (row.next()) {
        highestNamed.put(id(row), row.getInt(2));
        if (row.getBoolean(3)) {
          fedAndClaimed.add(id(row));
        }
      }
    }
  }

  private static UUID id(ResultSet row) throws SQLException {
    return row.getObject(1, UUID.class);
  }

  /** What the books say, of all rounds. */
  List<String> books() {
    return books.stream().map(Finding::toString).toList();
  }

  /** What does not hold of a round; empty when all does. */
  List<String> wrong(Round round, Side left, Answer leftSaid, Side right, Answer rightSaid) {
    List<String> wrong = new ArrayList<>();
    for (UUID job : List.of(round.job(), round.other())) {
      job(job, wrong);
    }
    side(left, leftSaid, wrong);
    side(right, rightSaid, wrong);
    steering(round, leftSaid, rightSaid, wrong);
    return wrong;
  }

  /** An end of an attempt that somebody has moved the job on from. */
  private void job(UUID job, List<String> wrong) {
    Outcome outcome = outcomes.get(job);
    State state = states.get(job);
    if (outcome != null) {
      int moved = Math.max(state == null ? 1 : state.token(), highestNamed.getOrDefault(job, 1));
      if (moved > outcome.token()) {
        wrong.add("stale-end: " + describe(job));
      }
    }
    if (fedAndClaimed.contains(job)) {
      wrong.add("on both ways: " + describe(job));
    }
  }

  /** Whoever was told that something counts finds it, and nothing else of its own. */
  private void side(Side side, Answer said, List<String> wrong) {
    for (UUID job : said.succeeded) {
      Outcome outcome = outcomes.get(job);
      if (outcome == null
          || !outcome.outcome().equals("succeeded")
          || !side.session.equals(outcome.worker())) {
        wrong.add("counted and not there: " + describe(job));
      }
    }
    for (UUID job : said.stale) {
      Outcome outcome = outcomes.get(job);
      if (!said.succeeded.contains(job)
          && outcome != null
          && side.session.equals(outcome.worker())) {
        wrong.add("stale and there: " + describe(job));
      }
    }
    for (UUID job : said.rescued) {
      if (token(job) < 2) {
        wrong.add("rescued at its old token: " + describe(job));
      }
    }
  }

  private int token(UUID job) {
    Outcome outcome = outcomes.get(job);
    State state = states.get(job);
    return outcome != null ? outcome.token() : state != null ? state.token() : 1;
  }

  private void steering(Round round, Answer left, Answer right, List<String> wrong) {
    UUID job = round.job();
    Outcome outcome = outcomes.get(job);
    State state = states.get(job);
    boolean cancelled = outcome != null && outcome.outcome().equals("cancelled");
    switch (left.said) {
      case "Cancelled" -> {
        if (!cancelled || right.ran.contains(job)) {
          wrong.add("cancelled-and-runs: " + describe(job));
        }
      }
      case "Requested" -> {
        if (!cancelled && (state == null || !state.cancelRequested())) {
          wrong.add("cancellation forgotten: " + describe(job));
        }
      }
      case "Redriven" -> {
        if (right.said.equals("Redriven") || token(job) < 3) {
          wrong.add("redriven twice or not at all: " + describe(job));
        }
      }
      default -> {}
    }
    if (right.said.equals("Redriven") && token(job) < 3) {
      wrong.add("not redriven: " + describe(job));
    }
    if (left.said.equals("took 1") && right.said.equals("took 1")) {
      wrong.add("fed and claimed: " + describe(job));
    }
  }

  private String describe(UUID job) {
    return job
        + ": "
        + outcomes.get(job)
        + ", "
        + states.get(job)
        + ", named at token "
        + highestNamed.get(job);
  }
}
