package dev.millpond.engine.access;

import dev.millpond.engine.access.store.ApiKeyStore;
import dev.millpond.engine.access.store.ApiSessionStore;
import dev.millpond.engine.lifecycle.store.Transactions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Sessions of browsers. Each has the rights of its key, and ends with it, with its time, or when it
 * was not used for a while. The first request that brings a cookie to a process asks the database;
 * then the process knows it, until keys change or somebody logs out. Thread-safe.
 */
public final class Sessions {
  /** How long one lives at most. */
  public static final Duration LIVES = Duration.ofHours(12);

  /** How long one may be unused. */
  public static final Duration IDLE = Duration.ofMinutes(30);

  /** Sessions of one key; the oldest gives way. */
  static final int OF_KEY_MAX = 100;

  /** Sessions in memory; of more, the one that was used longest ago is asked for again. */
  private static final int KNOWN_MAX = 10_000;

  private static final int COOKIE_CHARS = 64;

  private final Transactions transactions;
  private final InstantSource clock;
  private final Function<String, @Nullable ApiKey> keys;
  private final LongSupplier version;

  /** By the hash in hex; guarded by itself. */
  private final Map<String, Open> known =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Open> eldest) {
          return size() > KNOWN_MAX;
        }
      };

  /**
   * @param version of the keys at which it was read: at another one it is read again
   * @param unwritten whether it was used after that was last written
   */
  private record Open(ApiSessionStore.Row row, long version, Instant seenAt, boolean unwritten) {}

  /**
   * A session as its caller has it.
   *
   * @param expiresAt when it ends, however it is used
   */
  public record Session(ApiKey key, Instant expiresAt) {}

  /**
   * A new session.
   *
   * @param cookie its secret
   */
  public record Begun(String cookie, Instant expiresAt) {
    @Override
    public String toString() {
      return "Begun[" + expiresAt + "]";
    }
  }

  Sessions(
      Transactions transactions,
      InstantSource clock,
      Function<String, @Nullable ApiKey> keys,
      LongSupplier version) {
    this.transactions = transactions;
    this.clock = clock;
    this.keys = keys;
    this.version = version;
  }

  /**
   * Begins one with the rights of a key.
   *
   * @param prefix of the key
   */
  public Begun begin(String prefix) {
    String cookie = KeyText.randomSecret();
    byte[] hash = KeyText.sha256(cookie);
    long before = version.getAsLong();
    ApiSessionStore.Row row =
        transactions.callOrThrow(tx -> ApiSessionStore.insert(tx, hash, prefix, LIVES, OF_KEY_MAX));
    keep(hex(hash), new Open(row, before, row.seenAt(), false));
    return new Begun(cookie, row.expiresAt());
  }

  /**
   * The session of a cookie.
   *
   * @param ask whether the database may be asked for one that this process has never known
   */
  public Optional<Session> find(String cookie, boolean ask) {
    if (cookie.length() != COOKIE_CHARS) {
      return Optional.empty();
    }
    byte[] hash = KeyText.sha256(cookie);
    String id = hex(hash);
    Instant now = clock.instant();
    Open open = known(id);
    if (open == null || open.version() != version.getAsLong() || idle(open, now)) {
      if (open == null && !ask) {
        return Optional.empty();
      }
      long before = version.getAsLong();
      ApiSessionStore.Row row =
          transactions.callOrThrow(tx -> ApiSessionStore.find(tx, hash)).orElse(null);
      if (row == null) {
        forget(id);
        return Optional.empty();
      }
      // Of what was seen here and is not written yet, nobody else can know.
      Instant seen =
          open != null && open.seenAt().isAfter(row.seenAt()) ? open.seenAt() : row.seenAt();
      open = new Open(row, before, seen, open != null && open.unwritten());
    }
    ApiKey key = keys.apply(open.row().prefix());
    if (key == null || idle(open, now) || !now.isBefore(open.row().expiresAt())) {
      return Optional.empty();
    }
    keep(id, new Open(open.row(), open.version(), now, true));
    return Optional.of(new Session(key, open.row().expiresAt()));
  }

  /** Ends the session of a cookie, everywhere within a second; does nothing without one. */
  public void end(String cookie) {
    byte[] hash = KeyText.sha256(cookie);
    transactions.callOrThrow(tx -> {
      ApiKeyStore.grow(tx);
      ApiSessionStore.delete(tx, hash);
      return true;
    });
    forget(hex(hash));
  }

  /** Writes when those were used that were used since the last time. */
  void writeSeen() {
    Map<String, Instant> seen = new TreeMap<>(); // rows are written in one order everywhere
    synchronized (known) {
      known.forEach((id, open) -> {
        if (open.unwritten()) {
          seen.put(id, open.seenAt());
        }
      });
      known.replaceAll((id, open) -> new Open(open.row(), open.version(), open.seenAt(), false));
    }
    if (seen.isEmpty()) {
      return;
    }
    transactions.call(tx -> {
      for (Map.Entry<String, Instant> each : seen.entrySet()) {
        ApiSessionStore.seen(tx, HexFormat.of().parseHex(each.getKey()), each.getValue());
      }
      return true;
    });
  }

  private static boolean idle(Open open, Instant now) {
    return now.isAfter(open.seenAt().plus(IDLE));
  }

  private @Nullable Open known(String id) {
    synchronized (known) {
      return known.get(id);
    }
  }

  private void keep(String id, Open open) {
    synchronized (known) {
      known.put(id, open);
    }
  }

  private void forget(String id) {
    synchronized (known) {
      known.remove(id);
    }
  }

  private static String hex(byte[] hash) {
    return HexFormat.of().formatHex(hash);
  }
}
