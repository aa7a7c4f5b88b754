package dev.millpond.engine.access;

import dev.millpond.engine.access.store.ApiKeyStore;
import dev.millpond.engine.lifecycle.store.DatabaseException;
import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.threads.LoopThread;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All keys as this process knows them: it asks for their version every {@link #LOOK_MILLIS}, and
 * reads them all when it is another one. So a check asks nobody, of a key that is not there either.
 * While the database is away what was read last holds. Thread-safe.
 */
public final class KeyRing implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(KeyRing.class);

  /** So that what is revoked ends everywhere within a second. */
  static final long LOOK_MILLIS = 500;

  /** How often it is written which keys and sessions were used. */
  private static final long USED_NANOS = TimeUnit.MINUTES.toNanos(1);

  private static final long END_NANOS = TimeUnit.SECONDS.toNanos(2);

  private final Transactions transactions;
  private final InstantSource clock;
  private final Sessions sessions;
  private final LoopThread thread = new LoopThread("millpond-keys", this::loop);
  private final CountDownLatch stop = new CountDownLatch(1);

  /** Held while they are read: what was read earlier never replaces what was read later. */
  private final ReentrantLock looking = new ReentrantLock();

  private volatile Known known = new Known(-1, Map.of());
  private final Set<String> used = ConcurrentHashMap.newKeySet();

  private record Known(long version, Map<String, StoredKey> keys) {}

  /** What a key is worth. */
  public sealed interface Verdict {
    /** It works. */
    record Valid(ApiKey key) implements Verdict {}

    /** It is right, but has been revoked or has expired. */
    record Ended(ApiKey key) implements Verdict {}

    /** There is no such key, or its secret is another one. */
    record Unknown() implements Verdict {}
  }

  /**
   * @param clock the database's, as far as known
   */
  public KeyRing(Transactions transactions, InstantSource clock) {
    this.transactions = transactions;
    this.clock = clock;
    this.sessions = new Sessions(transactions, clock, this::find, () -> known.version());
  }

  /**
   * Reads the keys, and follows them from now on.
   *
   * @throws DatabaseException when they cannot be read
   */
  public void start() {
    look();
    thread.start();
  }

  /** The sessions of browsers, which end with their keys. */
  public Sessions sessions() {
    return sessions;
  }

  /** Checks a key. */
  public Verdict check(KeyText text) {
    StoredKey stored = known.keys().get(text.prefix());
    if (!StoredKey.opens(stored, text.hash()) || stored == null) {
      return new Verdict.Unknown();
    }
    if (!stored.key().live(clock.instant())) {
      return new Verdict.Ended(stored.key());
    }
    if (!used.contains(text.prefix())) {
      used.add(text.prefix());
    }
    return new Verdict.Valid(stored.key());
  }

  /** A key that works; null when there is none with this prefix. */
  private @Nullable ApiKey find(String prefix) {
    StoredKey stored = known.keys().get(prefix);
    return stored == null || !stored.key().live(clock.instant()) ? null : stored.key();
  }

  /**
   * Reads the keys anew if they have changed.
   *
   * @throws DatabaseException when they cannot be read
   */
  public void look() {
    looking.lock();
    try {
      // Before the keys: they are at least as new as it says.
      long version = transactions.read(ApiKeyStore::version);
      if (version != known.version()) {
        Map<String, StoredKey> keys = new HashMap<>();
        for (StoredKey stored : transactions.read(ApiKeyStore::read)) {
          keys.put(stored.key().prefix(), stored);
        }
        known = new Known(version, keys);
        log.debug("keys are at version {}", version);
      }
    } finally {
      looking.unlock();
    }
  }

  private void loop() {
    long wroteNanos = System.nanoTime();
    try {
      while (!stop.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
        try {
          look();
          if (System.nanoTime() - wroteNanos > USED_NANOS) {
            wroteNanos = System.nanoTime();
            writeUsed();
          }
        } catch (DatabaseException e) {
          log.debug("keys were not read: {}", e.getMessage());
        }
      }
    } catch (InterruptedException e) {
      log.debug("keys are not followed any more");
    }
  }

  /** Writes which keys and sessions were used since the last time. */
  void writeUsed() {
    List<String> prefixes = List.copyOf(used);
    if (!prefixes.isEmpty()) {
      used.clear();
      transactions.call(tx -> {
        ApiKeyStore.used(tx, prefixes);
        return true;
      });
    }
    sessions.writeSeen();
  }

  /** Without it, keys that are revoked go on to work here. */
  public LoopThread thread() {
    return thread;
  }

  @Override
  public void close() {
    thread.mayEnd();
    stop.countDown();
    try {
      thread.joinUntil(System.nanoTime() + END_NANOS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
