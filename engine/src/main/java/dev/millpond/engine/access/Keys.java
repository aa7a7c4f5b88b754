package dev.millpond.engine.access;

import dev.millpond.engine.access.store.ApiKeyStore;
import dev.millpond.engine.audit.Actor;
import dev.millpond.engine.flow.InvalidSettingException;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.lifecycle.store.Transactions;
import java.util.List;
import java.util.Optional;

/**
 * Makes, lists and revokes keys. A change is committed when the call returns, and holds in every
 * process within a second. Thread-safe.
 */
public final class Keys {
  /** Keys that work at a time. */
  public static final int LIVE_MAX = 1_000;

  private final Transactions transactions;
  private final Runnable changed;

  /** A key and its secret, which nobody can read again. */
  public record Made(ApiKey key, KeyText text) {}

  /**
   * @param changed told after each change
   */
  public Keys(Transactions transactions, Runnable changed) {
    this.transactions = transactions;
    this.changed = changed;
  }

  /**
   * Makes a key without a server, as whoever may write to PostgreSQL can.
   *
   * @param onlyFirst whether there must be no key that works yet
   * @return empty when there is one
   */
  public static Optional<Made> direct(String pgUrl, KeyRequest request, boolean onlyFirst) {
    try (Transactions transactions = new Transactions(Pg.pool(pgUrl, "millpond-keys", 1))) {
      return new Keys(transactions, () -> {}).make(request, onlyFirst);
    }
  }

  /**
   * Makes a key.
   *
   * @throws InvalidSettingException when there are {@link #LIVE_MAX} already
   */
  public Made create(KeyRequest request) {
    return make(request, false).orElseThrow();
  }

  private Optional<Made> make(KeyRequest request, boolean onlyFirst) {
    KeyText text = KeyText.random();
    Optional<Made> made =
        transactions.callOrThrow(tx -> {
          ApiKeyStore.grow(tx); // first: keys are made one after the other
          int live = ApiKeyStore.countLive(tx);
          if (onlyFirst && live > 0) {
            return Optional.empty();
          }
          if (live >= LIVE_MAX) {
            throw new InvalidSettingException(
                "", "is one key too many: " + LIVE_MAX + " work, and one has to be revoked first");
          }
          return Optional.of(
              new Made(
                  ApiKeyStore.insert(
                      tx, text.prefix(), text.hash(), request, Actor.principalHere()),
                  text));
        });
    changed.run();
    return made;
  }

  /** All keys, the newest first; those that do not work any more until they are removed. */
  public List<ApiKey> list() {
    return transactions.callOrThrow(ApiKeyStore::list);
  }

  /** Ends a key and its sessions; the key, or empty when there is none with this prefix. */
  public Optional<ApiKey> revoke(String prefix) {
    Optional<ApiKey> revoked =
        transactions.callOrThrow(tx -> {
          ApiKeyStore.grow(tx);
          return ApiKeyStore.revoke(tx, prefix);
        });
    changed.run();
    return revoked;
  }
}
