package dev.millpond.engine.flush.store;

import dev.millpond.engine.flush.KeyedSubmit;
import dev.millpond.engine.flush.KeyedSubmit.Item;
import dev.millpond.engine.flush.KeyedSubmit.Verdict;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.lifecycle.store.PgArray;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Idempotency keys (rule R20): a job may be written only by whoever's insert of the key came
 * through; everybody else reads the winner in a later statement. The key of a whole request holds
 * the ids of all its jobs (ADR 11). The caller owns the transaction. Stateless.
 */
final class KeyStore {
  /**
   * In one order for all nodes, so that two of them never wait for each other. The ids of whole
   * requests are slices of one long array.
   */
  private static final String TAKE =
      """
      INSERT INTO millpond.idempotency_key AS k (principal, key, job_id, job_ids, body_hash, expires_at)
      SELECT u.principal, u.key, u.id,
             CASE WHEN u.high > 0 THEN (?::uuid[])[u.low:u.high] END,
             decode(u.hash, 'hex'), now() + u.lives * interval '1 microsecond'
      FROM unnest(?::text[], ?::text[], ?::uuid[], ?::text[], ?::int8[], ?::int4[], ?::int4[])
           AS u (principal, key, id, hash, lives, low, high)
      ORDER BY u.principal, u.key
      ON CONFLICT (principal, key) DO UPDATE
          SET job_id = excluded.job_id, job_ids = excluded.job_ids,
              body_hash = excluded.body_hash, expires_at = excluded.expires_at
          WHERE k.expires_at < now()
      RETURNING job_id, job_ids IS NOT NULL
      """;

  private static final String READ =
      """
      SELECT principal, key, job_id, job_ids, body_hash FROM millpond.idempotency_key
      WHERE (principal, key) IN (SELECT unnest(?::text[]), unnest(?::text[]))
      """;

  private static final String GIVE_BACK =
      """
      DELETE FROM millpond.idempotency_key
      WHERE (principal, key) IN (SELECT unnest(?::text[]), unnest(?::text[]))
        AND job_id = ANY (?::uuid[])
      """;

  private static final String CORRECT =
      """
      UPDATE millpond.idempotency_key SET job_id = ?, job_ids = ? WHERE principal = ? AND key = ?
      """;

  private KeyStore() {}

  private record Name(String principal, String key) {
    static Name of(KeyedSubmit.Key key) {
      return new Name(key.principal(), key.key());
    }
  }

  /**
   * A key to be taken.
   *
   * @param jobId of the item, or of the first one of the request
   * @param jobIds of the whole request; null for the key of one item
   */
  @SuppressWarnings("ArrayRecordComponent") // read here only
  private record Claim(KeyedSubmit.Key key, UUID jobId, UUID @Nullable [] jobIds) {
    Mark mark() {
      return new Mark(jobId, jobIds != null);
    }
  }

  /** What tells a taken key: the first job of a request may have a key of its own as well. */
  private record Mark(UUID jobId, boolean whole) {}

  @SuppressWarnings("ArrayRecordComponent") // read here only
  private record Winner(UUID jobId, UUID @Nullable [] jobIds, byte[] bodyHash) {
    boolean sameBody(KeyedSubmit.Key key) {
      return Arrays.equals(bodyHash, key.bodyHash());
    }
  }

  /**
   * Takes the keys of all submits; no key may be in two of them.
   *
   * @return for each submit one verdict an item, or a single {@link Verdict.Conflict}
   */
  static IdentityHashMap<KeyedSubmit, List<Verdict>> take(Connection tx, List<KeyedSubmit> submits)
      throws SQLException {
    Map<Name, Claim> claims = new LinkedHashMap<>();
    for (KeyedSubmit submit : submits) {
      claims(submit).forEach(claim -> claims.putIfAbsent(Name.of(claim.key()), claim));
    }
    Set<Mark> fresh = insert(tx, List.copyOf(claims.values()));
    Map<Name, Winner> winners = winners(tx, claims, fresh);
    IdentityHashMap<KeyedSubmit, List<Verdict>> verdicts = new IdentityHashMap<>();
    for (KeyedSubmit submit : submits) {
      List<Verdict> all = judge(submit, fresh, winners);
      verdicts.put(submit, all);
      boolean replayed = submit.request() != null && !takenWhole(submit, fresh);
      if (replayed || all.getFirst() instanceof Verdict.Conflict) {
        giveBack(tx, submit, fresh);
      } else if (submit.request() != null) {
        correct(tx, submit, submit.request(), all);
      }
    }
    return verdicts;
  }

  private static List<Claim> claims(KeyedSubmit submit) {
    List<Claim> claims = new ArrayList<>();
    if (submit.request() != null) {
      UUID[] ids = submit.items().stream().map(item -> item.job().id()).toArray(UUID[]::new);
      claims.add(new Claim(submit.request(), ids[0], ids));
    }
    for (Item item : submit.items()) {
      if (item.key() != null) {
        claims.add(new Claim(item.key(), item.job().id(), null));
      }
    }
    return claims;
  }

  private static boolean takenWhole(KeyedSubmit submit, Set<Mark> fresh) {
    return fresh.contains(new Mark(submit.items().getFirst().job().id(), true));
  }

  private static List<Verdict> judge(KeyedSubmit submit, Set<Mark> fresh, Map<Name, Winner> winners)
      throws SQLException {
    if (submit.request() != null && !takenWhole(submit, fresh)) {
      return replay(submit, winner(winners, submit.request()), submit.request());
    }
    List<Verdict> verdicts = new ArrayList<>(submit.items().size());
    for (int i = 0; i < submit.items().size(); i++) {
      Item item = submit.items().get(i);
      KeyedSubmit.Key key = item.key();
      if (key == null || fresh.contains(new Mark(item.job().id(), false))) {
        verdicts.add(new Verdict.Fresh(item.job().id()));
        continue;
      }
      Winner winner = winner(winners, key);
      if (!winner.sameBody(key)) {
        return List.of(new Verdict.Conflict(i, winner.jobId()));
      }
      verdicts.add(new Verdict.Known(winner.jobId()));
    }
    return verdicts;
  }

  /** The jobs of the request that has the key. */
  private static List<Verdict> replay(KeyedSubmit submit, Winner winner, KeyedSubmit.Key key) {
    UUID[] ids = winner.jobIds();
    if (ids == null || ids.length != submit.items().size() || !winner.sameBody(key)) {
      return List.of(new Verdict.Conflict(-1, winner.jobId()));
    }
    List<Verdict> verdicts = new ArrayList<>(ids.length);
    for (UUID id : ids) {
      verdicts.add(new Verdict.Known(id));
    }
    return verdicts;
  }

  private static Winner winner(Map<Name, Winner> winners, KeyedSubmit.Key key) throws SQLException {
    Winner winner = winners.get(Name.of(key));
    if (winner == null) {
      // It expired and was removed between the two statements; the flush is repeated.
      throw new SQLException("key of a vanished winner", "40001");
    }
    return winner;
  }

  private static Set<Mark> insert(Connection tx, List<Claim> claims) throws SQLException {
    int count = claims.size();
    int[] low = new int[count];
    int[] high = new int[count];
    List<UUID> flat = new ArrayList<>();
    for (int c = 0; c < count; c++) {
      UUID[] ids = claims.get(c).jobIds();
      if (ids != null) {
        low[c] = flat.size() + 1;
        flat.addAll(Arrays.asList(ids));
        high[c] = flat.size();
      }
    }
    Set<Mark> fresh = new HashSet<>();
    try (PreparedStatement statement = tx.prepareStatement(TAKE)) {
      int i = 0;
      statement.setObject(++i, PgArray.uuids(flat.toArray(UUID[]::new)));
      statement.setObject(++i, PgArray.texts(claims, claim -> claim.key().principal()));
      statement.setObject(++i, PgArray.texts(claims, claim -> claim.key().key()));
      statement.setObject(++i, PgArray.uuids(claims, Claim::jobId));
      statement.setObject(
          ++i, PgArray.texts(claims, claim -> HexFormat.of().formatHex(claim.key().bodyHash())));
      statement.setObject(++i, PgArray.longs(claims, claim -> claim.key().livesMicros()));
      statement.setObject(++i, PgArray.ints(count, c -> low[c]));
      statement.setObject(++i, PgArray.ints(count, c -> high[c]));
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          fresh.add(new Mark(rows.getObject(1, UUID.class), rows.getBoolean(2)));
        }
      }
    }
    return fresh;
  }

  /** Who has each of the keys; only those that somebody else has are read. */
  private static Map<Name, Winner> winners(Connection tx, Map<Name, Claim> claims, Set<Mark> fresh)
      throws SQLException {
    Map<Name, Winner> winners = new HashMap<>();
    List<Name> elsewhere = new ArrayList<>();
    claims.forEach((name, claim) -> {
      if (fresh.contains(claim.mark())) {
        winners.put(name, new Winner(claim.jobId(), claim.jobIds(), claim.key().bodyHash()));
      } else {
        elsewhere.add(name);
      }
    });
    if (elsewhere.isEmpty()) {
      return winners;
    }
    try (PreparedStatement statement = tx.prepareStatement(READ)) {
      statement.setObject(1, PgArray.texts(elsewhere, Name::principal));
      statement.setObject(2, PgArray.texts(elsewhere, Name::key));
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          winners.put(
              new Name(rows.getString(1), rows.getString(2)),
              new Winner(
                  rows.getObject(3, UUID.class),
                  rows.getObject(4) == null ? null : Pg.uuids(rows, 4),
                  rows.getBytes(5)));
        }
      }
    }
    return winners;
  }

  /** The keys that a submit has just taken, but does not use, are free again. */
  private static void giveBack(Connection tx, KeyedSubmit submit, Set<Mark> fresh)
      throws SQLException {
    List<Claim> taken =
        claims(submit).stream().filter(claim -> fresh.contains(claim.mark())).toList();
    if (taken.isEmpty()) {
      return;
    }
    try (PreparedStatement statement = tx.prepareStatement(GIVE_BACK)) {
      statement.setObject(1, PgArray.texts(taken, claim -> claim.key().principal()));
      statement.setObject(2, PgArray.texts(taken, claim -> claim.key().key()));
      statement.setObject(3, PgArray.uuids(taken, Claim::jobId));
      statement.executeUpdate();
    }
  }

  /** A request some of whose items turned out to be earlier jobs names those. */
  private static void correct(
      Connection tx, KeyedSubmit submit, KeyedSubmit.Key request, List<Verdict> verdicts)
      throws SQLException {
    UUID[] ids = new UUID[verdicts.size()];
    boolean changed = false;
    for (int i = 0; i < ids.length; i++) {
      ids[i] =
          switch (verdicts.get(i)) {
            case Verdict.Fresh made -> made.id();
            case Verdict.Known known -> known.id();
            case Verdict.Conflict conflict -> throw new IllegalStateException(conflict.toString());
            case Verdict.TurnedAway away -> throw new IllegalStateException(away.toString());
          };
      changed |= !ids[i].equals(submit.items().get(i).job().id());
    }
    if (!changed) {
      return;
    }
    try (PreparedStatement statement = tx.prepareStatement(CORRECT)) {
      statement.setObject(1, ids[0]);
      statement.setObject(2, PgArray.uuids(ids));
      statement.setString(3, request.principal());
      statement.setString(4, request.key());
      statement.executeUpdate();
    }
  }
}
