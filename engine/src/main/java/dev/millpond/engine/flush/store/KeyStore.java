package dev.millpond.engine.flush.store;

import dev.millpond.engine.flush.KeyedSubmit;
import dev.millpond.engine.flush.KeyedSubmit.Item;
import dev.millpond.engine.flush.KeyedSubmit.Verdict;
import dev.millpond.engine.lifecycle.store.PgArray;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/**
 * Idempotency keys (rule R20): a job may be written only by whoever's insert of the key came
 * through; everybody else reads the winner in a later statement. The caller owns the transaction.
 * Stateless.
 */
final class KeyStore {
  private static final String TAKE =
      """
      INSERT INTO millpond.idempotency_key AS k (principal, key, job_id, body_hash, expires_at)
      SELECT u.principal, u.key, u.id, decode(u.hash, 'hex'), now() + u.lives * interval '1 microsecond'
      FROM unnest(?::text[], ?::text[], ?::uuid[], ?::text[], ?::int8[])
           AS u (principal, key, id, hash, lives)
      ORDER BY u.principal, u.key
      ON CONFLICT (principal, key) DO UPDATE
          SET job_id = excluded.job_id, body_hash = excluded.body_hash, expires_at = excluded.expires_at
          WHERE k.expires_at < now()
      RETURNING job_id
      """;

  private static final String READ =
      """
      SELECT principal, key, job_id, body_hash FROM millpond.idempotency_key
      WHERE (principal, key) IN (SELECT unnest(?::text[]), unnest(?::text[]))
      """;

  private static final String GIVE_BACK =
      """
      DELETE FROM millpond.idempotency_key
      WHERE (principal, key) IN (SELECT unnest(?::text[]), unnest(?::text[]))
        AND job_id = ANY (?::uuid[])
      """;

  private KeyStore() {}

  private record Name(String principal, String key) {
    static Name of(KeyedSubmit.Key key) {
      return new Name(key.principal(), key.key());
    }
  }

  @SuppressWarnings("ArrayRecordComponent") // read here only
  private record Winner(UUID jobId, byte[] bodyHash) {}

  /**
   * Takes the keys of all submits; no key may be in two of them.
   *
   * @return for each submit one verdict an item, or a single {@link Verdict.Conflict}
   */
  static IdentityHashMap<KeyedSubmit, List<Verdict>> take(Connection tx, List<KeyedSubmit> submits)
      throws SQLException {
    Map<Name, Item> first = new LinkedHashMap<>();
    for (KeyedSubmit submit : submits) {
      for (Item item : submit.items()) {
        if (item.key() != null) {
          first.putIfAbsent(Name.of(item.key()), item);
        }
      }
    }
    Set<UUID> fresh = insert(tx, List.copyOf(first.values()));
    Map<Name, Winner> winners = read(tx, List.copyOf(first.keySet()));
    IdentityHashMap<KeyedSubmit, List<Verdict>> verdicts = new IdentityHashMap<>();
    for (KeyedSubmit submit : submits) {
      List<Verdict> all = judge(submit, fresh, winners);
      verdicts.put(submit, all);
      if (all.getFirst() instanceof Verdict.Conflict) {
        giveBack(tx, submit, fresh);
      }
    }
    return verdicts;
  }

  private static List<Verdict> judge(KeyedSubmit submit, Set<UUID> fresh, Map<Name, Winner> winners)
      throws SQLException {
    List<Verdict> verdicts = new ArrayList<>(submit.items().size());
    for (int i = 0; i < submit.items().size(); i++) {
      Item item = submit.items().get(i);
      KeyedSubmit.Key key = item.key();
      if (key == null || fresh.contains(item.job().id())) {
        verdicts.add(new Verdict.Fresh(item.job().id()));
        continue;
      }
      Winner winner = winners.get(Name.of(key));
      if (winner == null) {
        // It expired and was removed between the two statements; the flush is repeated.
        throw new SQLException("key of a vanished winner", "40001");
      }
      if (!Arrays.equals(winner.bodyHash(), key.bodyHash())) {
        return List.of(new Verdict.Conflict(i, winner.jobId()));
      }
      verdicts.add(new Verdict.Known(winner.jobId()));
    }
    return verdicts;
  }

  private static Set<UUID> insert(Connection tx, List<Item> items) throws SQLException {
    Set<UUID> fresh = new HashSet<>();
    List<KeyedSubmit.Key> keys = new ArrayList<>(items.size());
    for (Item item : items) {
      KeyedSubmit.Key key = item.key();
      if (key != null) {
        keys.add(key);
      }
    }
    try (PreparedStatement statement = tx.prepareStatement(TAKE)) {
      int i = 0;
      statement.setObject(++i, PgArray.texts(keys, KeyedSubmit.Key::principal));
      statement.setObject(++i, PgArray.texts(keys, KeyedSubmit.Key::key));
      statement.setObject(++i, PgArray.uuids(items, item -> item.job().id()));
      statement.setObject(
          ++i, PgArray.texts(keys, k -> java.util.HexFormat.of().formatHex(k.bodyHash())));
      statement.setObject(++i, PgArray.longs(keys, KeyedSubmit.Key::livesMicros));
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          fresh.add(rows.getObject(1, UUID.class));
        }
      }
    }
    return fresh;
  }

  private static Map<Name, Winner> read(Connection tx, List<Name> names) throws SQLException {
    Map<Name, Winner> winners = new HashMap<>();
    try (PreparedStatement statement = tx.prepareStatement(READ)) {
      statement.setObject(1, PgArray.texts(names, Name::principal));
      statement.setObject(2, PgArray.texts(names, Name::key));
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          winners.put(
              new Name(rows.getString(1), rows.getString(2)),
              new Winner(rows.getObject(3, UUID.class), rows.getBytes(4)));
        }
      }
    }
    return winners;
  }

  /** The keys that a refused submit has just taken are free again. */
  private static void giveBack(Connection tx, KeyedSubmit submit, Set<UUID> fresh)
      throws SQLException {
    List<KeyedSubmit.Key> keys = new ArrayList<>();
    List<UUID> ids = new ArrayList<>();
    for (Item item : submit.items()) {
      if (item.key() != null && fresh.contains(item.job().id())) {
        keys.add(item.key());
        ids.add(item.job().id());
      }
    }
    if (keys.isEmpty()) {
      return;
    }
    try (PreparedStatement statement = tx.prepareStatement(GIVE_BACK)) {
      statement.setObject(1, PgArray.texts(keys, KeyedSubmit.Key::principal));
      statement.setObject(2, PgArray.texts(keys, KeyedSubmit.Key::key));
      statement.setObject(3, PgArray.uuids(ids.toArray(UUID[]::new)));
      statement.executeUpdate();
    }
  }
}
