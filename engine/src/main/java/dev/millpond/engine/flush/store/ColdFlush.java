package dev.millpond.engine.flush.store;

import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.BatchMaker.Member;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.store.DepthStore;
import dev.millpond.engine.dispatch.store.DepthStore.Change;
import dev.millpond.engine.dispatch.store.DispatchStore;
import dev.millpond.engine.flush.Portion;
import dev.millpond.engine.flush.Portion.Cancelled;
import dev.millpond.engine.flush.Portion.End;
import dev.millpond.engine.flush.Portion.Failure;
import dev.millpond.engine.flush.Portion.Held;
import dev.millpond.engine.flush.Portion.Paused;
import dev.millpond.engine.flush.Portion.Returned;
import dev.millpond.engine.flush.Portion.Started;
import dev.millpond.engine.flush.Portion.Success;
import dev.millpond.engine.flush.Portion.Written;
import dev.millpond.engine.flush.store.ParkStore.Parked;
import dev.millpond.engine.lifecycle.store.JobTables;
import dev.millpond.engine.lifecycle.store.PgArray;
import dev.millpond.engine.webhook.store.WebhookStore;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The portions of a cold flush, in one transaction of several statements: gates first, then locks
 * of the state rows, then what was read decides what is written (rule R1). Covers rules R3, R4, R5
 * and R7 for everything that is not a plain first attempt.
 */
public final class ColdFlush {
  private static final String GATE_LAST =
      """
      DELETE FROM millpond.dispatch
      WHERE id = ANY (?::uuid[]) AND (claimed_by IS NULL OR claimed_by = ?)
      RETURNING id
      """;

  /** Lets no other part of the batch through meanwhile, should another worker have it as well. */
  private static final String GATE_PART =
      """
      SELECT id FROM millpond.dispatch
      WHERE id = ANY (?::uuid[]) AND (claimed_by IS NULL OR claimed_by = ?)
      ORDER BY id FOR UPDATE
      """;

  private static final String LOCK_STATES =
      """
      SELECT job_id, lease_token, phase, session, cancel_requested FROM millpond.job_state
      WHERE job_id = ANY (?::uuid[]) ORDER BY job_id FOR UPDATE
      """;

  private final List<Portion> portions;
  private final UUID session;
  private final BatchMaker maker;
  private final IdentityHashMap<Portion, Set<UUID>> stale = new IdentityHashMap<>();
  private final Set<Portion> gone = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Map<UUID, State> states = new HashMap<>();
  private final Set<UUID> ended = new HashSet<>();

  private record State(int token, String phase, @Nullable UUID session, boolean cancelRequested) {}

  /** A portion's end or tracked start that has passed its gate, with the portion it came in. */
  record Passed<T>(Portion portion, T what) {}

  public ColdFlush(List<Portion> portions, UUID session, BatchMaker maker) {
    this.portions = portions;
    this.session = session;
    this.maker = maker;
  }

  /**
   * Writes what passes its gate. The caller commits.
   *
   * @return what became of each portion
   */
  public IdentityHashMap<Portion, Written> run(Connection tx) throws SQLException {
    IdentityHashMap<Portion, Written> results = new IdentityHashMap<>();
    if (portions.isEmpty()) {
      return results;
    }
    portions.forEach(p -> stale.put(p, new HashSet<>()));
    if (portions.stream().anyMatch(Portion::webhooks)) {
      JobTables.hold(tx); // a webhook is a new job, written after outcomes and attempts
    }
    passGates(tx);
    lockStates(tx);
    List<Passed<Success>> successes = new ArrayList<>();
    List<Passed<Cancelled>> cancelled = new ArrayList<>();
    List<Passed<Failure>> failures = new ArrayList<>();
    List<Passed<Returned>> returned = new ArrayList<>();
    List<Passed<Paused>> paused = new ArrayList<>();
    List<Passed<Started>> started = new ArrayList<>();
    List<Passed<Held>> unstarted = new ArrayList<>();
    sort(successes, cancelled, failures, returned, paused, started, unstarted);

    readEnded(tx, failures, returned, paused, started, unstarted);
    dropEnded(returned, r -> r.jobId());
    dropEnded(paused, p -> p.jobId());
    dropEnded(failures, f -> f.jobId());
    dropEnded(started, s -> s.jobId());
    dropEnded(unstarted, h -> h.jobId());

    EndStore.insertOutcomes(tx, successes, cancelled, session, this::lost);
    EndStore.deleteStates(tx, endedWithState(successes, cancelled));
    EndStore.insertAttempts(tx, failures, cancelled, session);
    EndStore.retry(tx, failures);
    EndStore.bury(tx, failures);
    WebhookStore.call(tx, withWebhooks(successes, cancelled, failures));
    EndStore.track(tx, started, session);
    EndStore.insertLogs(tx, portions, stale);
    ParkStore.pause(tx, paused.stream().map(ColdFlush::parked).toList());
    EndStore.giveBack(tx, returned);
    giveBack(tx, unstarted, returned);
    DepthStore.add(tx, depth(successes, cancelled, failures, paused));

    portions.forEach(p -> results.put(p, new Written(gone.contains(p), Set.copyOf(stale(p)))));
    return results;
  }

  private Set<UUID> stale(Portion portion) {
    return stale.getOrDefault(portion, Set.of());
  }

  /**
   * A row that is deleted lets one portion through. A batch that is read twice, and given back both
   * times, has two in one flush; both would give its jobs a new holder.
   */
  private void passGates(Connection tx) throws SQLException {
    Set<UUID> deleted = new HashSet<>(gate(tx, GATE_LAST, true));
    Set<UUID> locked = new HashSet<>(gate(tx, GATE_PART, false));
    for (Portion portion : portions) {
      Batch batch = portion.batch();
      if (batch != null
          && !(portion.last() ? deleted.remove(batch.id()) : locked.contains(batch.id()))) {
        gone.add(portion);
      }
    }
  }

  private List<UUID> gate(Connection tx, String sql, boolean last) throws SQLException {
    List<UUID> ids = new ArrayList<>();
    for (Portion portion : portions) {
      Batch batch = portion.batch();
      if (batch != null && portion.last() == last) {
        ids.add(batch.id());
      }
    }
    List<UUID> passed = new ArrayList<>(ids.size());
    if (ids.isEmpty()) {
      return passed;
    }
    ids.sort(PgArray.UUID_ORDER);
    try (PreparedStatement statement = tx.prepareStatement(sql)) {
      statement.setObject(1, PgArray.uuids(ids.toArray(UUID[]::new)));
      statement.setObject(2, session);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          passed.add(rows.getObject(1, UUID.class));
        }
      }
    }
    return passed;
  }

  private void lockStates(Connection tx) throws SQLException {
    List<UUID> ids = new ArrayList<>();
    for (Portion portion : portions) {
      portion.ends().forEach(e -> ids.add(e.jobId()));
      portion.started().forEach(s -> ids.add(s.jobId()));
      portion.unstarted().forEach(h -> ids.add(h.jobId()));
    }
    if (ids.isEmpty()) {
      return;
    }
    try (PreparedStatement statement = tx.prepareStatement(LOCK_STATES)) {
      statement.setObject(1, PgArray.uuids(ids.toArray(UUID[]::new)));
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          states.put(
              rows.getObject(1, UUID.class),
              new State(
                  rows.getInt(2),
                  rows.getString(3),
                  rows.getObject(4, UUID.class),
                  rows.getBoolean(5)));
        }
      }
    }
  }

  /** Splits what holds its job from what has lost it. */
  private void sort(
      List<Passed<Success>> successes,
      List<Passed<Cancelled>> cancelled,
      List<Passed<Failure>> failures,
      List<Passed<Returned>> returned,
      List<Passed<Paused>> paused,
      List<Passed<Started>> started,
      List<Passed<Held>> unstarted) {
    for (Portion portion : portions) {
      for (End end : portion.ends()) {
        if (!holds(portion, end.jobId(), end.token())) {
          lost(portion, end.jobId());
          continue;
        }
        switch (end) {
          case Success success -> successes.add(new Passed<>(portion, success));
          case Cancelled stop -> cancelled.add(new Passed<>(portion, stop));
          case Returned back -> {
            if (cancelRequested(back.jobId())) {
              cancelled.add(new Passed<>(portion, asCancelled(back)));
            } else {
              returned.add(new Passed<>(portion, back));
            }
          }
          case Paused pause -> {
            if (cancelRequested(pause.jobId())) {
              cancelled.add(new Passed<>(portion, asCancelled(pause)));
            } else {
              paused.add(new Passed<>(portion, pause));
            }
          }
          case Failure failure -> {
            if (cancelRequested(failure.jobId())) {
              cancelled.add(new Passed<>(portion, asCancelled(failure)));
            } else {
              failures.add(new Passed<>(portion, failure));
            }
          }
        }
      }
      for (Started start : portion.started()) {
        keep(portion, start, start.jobId(), start.token(), started);
      }
      for (Held held : portion.unstarted()) {
        keep(portion, held, held.jobId(), held.token(), unstarted);
      }
    }
  }

  private <T> void keep(Portion portion, T what, UUID jobId, int token, List<Passed<T>> into) {
    if (holds(portion, jobId, token)) {
      into.add(new Passed<>(portion, what));
    } else {
      lost(portion, jobId);
    }
  }

  /**
   * Whether the portion's gate held and the job is still at this token, in the phase it left it.
   */
  private boolean holds(Portion portion, UUID jobId, int token) {
    State state = states.get(jobId);
    if (portion.batch() == null) {
      return state != null
          && state.token() == token
          && state.phase().equals("running")
          && session.equals(state.session());
    }
    if (gone.contains(portion)) {
      return false;
    }
    return state == null ? token == 1 : state.token() == token && state.phase().equals("runnable");
  }

  private static Parked parked(Passed<Paused> paused) {
    Portion portion = paused.portion();
    Paused job = paused.what();
    return new Parked(
        job.jobId(), portion.lane(), portion.kind(), job.tag(), job.token(), job.attempt());
  }

  private boolean cancelRequested(UUID jobId) {
    State state = states.get(jobId);
    return state != null && state.cancelRequested();
  }

  private static Cancelled asCancelled(Returned back) {
    return new Cancelled(
        back.jobId(),
        back.token(),
        back.hasState(),
        back.attempt(),
        PgArray.NULL,
        null,
        back.payloadBytes());
  }

  private static Cancelled asCancelled(Paused pause) {
    return new Cancelled(
        pause.jobId(),
        pause.token(),
        pause.hasState(),
        pause.attempt(),
        PgArray.NULL,
        null,
        pause.payloadBytes());
  }

  private static Cancelled asCancelled(Failure failure) {
    return new Cancelled(
        failure.jobId(),
        failure.token(),
        failure.hasState(),
        failure.attempt(),
        failure.startedMicros(),
        null,
        failure.payloadBytes());
  }

  private void lost(Portion portion, UUID jobId) {
    stale.computeIfAbsent(portion, p -> new HashSet<>()).add(jobId);
  }

  /**
   * An ended job (cancelled while it was on its way) is neither retried nor tracked nor given back.
   */
  private void readEnded(
      Connection tx,
      List<Passed<Failure>> failures,
      List<Passed<Returned>> returned,
      List<Passed<Paused>> paused,
      List<Passed<Started>> started,
      List<Passed<Held>> unstarted)
      throws SQLException {
    List<UUID> ids = new ArrayList<>();
    failures.forEach(f -> ids.add(f.what().jobId()));
    returned.forEach(r -> ids.add(r.what().jobId()));
    paused.forEach(p -> ids.add(p.what().jobId()));
    started.forEach(s -> ids.add(s.what().jobId()));
    unstarted.forEach(h -> ids.add(h.what().jobId()));
    ended.addAll(EndedJobs.among(tx, ids));
  }

  private <T> void dropEnded(List<Passed<T>> passed, java.util.function.Function<T, UUID> jobId) {
    passed.removeIf(p -> {
      UUID id = jobId.apply(p.what());
      if (!ended.contains(id)) {
        return false;
      }
      lost(p.portion(), id);
      return true;
    });
  }

  /** Jobs whose state row ends with them, those that somebody else ended included. */
  private List<UUID> endedWithState(
      List<Passed<Success>> successes, List<Passed<Cancelled>> cancelled) {
    List<UUID> ids = new ArrayList<>();
    successes.forEach(s -> ids.add(s.what().jobId()));
    cancelled.forEach(c -> ids.add(c.what().jobId()));
    ids.addAll(ended);
    ids.removeIf(id -> !states.containsKey(id));
    return ids;
  }

  /**
   * Ends in portions with webhooks; those that were lost, or are tried again, are left out there.
   */
  private List<UUID> withWebhooks(
      List<Passed<Success>> successes,
      List<Passed<Cancelled>> cancelled,
      List<Passed<Failure>> failures) {
    List<UUID> ids = new ArrayList<>();
    List<Passed<? extends End>> ends = new ArrayList<>();
    ends.addAll(successes);
    ends.addAll(cancelled);
    ends.addAll(failures);
    for (Passed<? extends End> end : ends) {
      if (end.portion().webhooks()) {
        ids.add(end.what().jobId());
      }
    }
    return ids;
  }

  private void giveBack(
      Connection tx, List<Passed<Held>> unstarted, List<Passed<Returned>> returned)
      throws SQLException {
    IdentityHashMap<Portion, List<Member>> byPortion = new IdentityHashMap<>();
    for (Passed<Returned> back : returned) {
      byPortion
          .computeIfAbsent(back.portion(), p -> new ArrayList<>())
          .add(new Member(back.what().jobId(), back.what().token() + 1));
    }
    for (Passed<Held> held : unstarted) {
      byPortion
          .computeIfAbsent(held.portion(), p -> new ArrayList<>())
          .add(new Member(held.what().jobId(), held.what().token()));
    }
    List<Batch> here = new ArrayList<>();
    List<Batch> elsewhere = new ArrayList<>();
    byPortion.forEach((portion, members) ->
        (portion.elsewhere() ? elsewhere : here)
            .add(maker.make(portion.lane(), portion.kind(), members)));
    DispatchStore.insert(tx, here, false);
    DispatchStore.insert(tx, elsewhere, true);
  }

  private List<Change> depth(
      List<Passed<Success>> successes,
      List<Passed<Cancelled>> cancelled,
      List<Passed<Failure>> failures,
      List<Passed<Paused>> paused) {
    Map<Lane, Change> depth = new HashMap<>();
    List<Passed<? extends End>> left = new ArrayList<>();
    left.addAll(successes);
    left.addAll(cancelled);
    left.addAll(failures);
    left.addAll(paused);
    for (Passed<? extends End> end : left) {
      if (!stale(end.portion()).contains(end.what().jobId())) {
        Lane lane = end.portion().lane();
        depth.merge(lane, new Change(lane, -1, 1, -end.what().payloadBytes()), Change::plus);
      }
    }
    return List.copyOf(depth.values());
  }
}
