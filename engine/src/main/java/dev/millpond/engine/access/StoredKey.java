package dev.millpond.engine.access;

import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;

/** A key, and what its secret has to hash to. Immutable. */
public final class StoredKey {
  /** What a key that is not there is compared with, to take as long as any other. */
  private static final byte[] NOBODYS = new byte[32];

  private final ApiKey key;
  private final byte[] hash;

  public StoredKey(ApiKey key, byte[] hash) {
    this.key = key;
    this.hash = hash.clone();
  }

  public ApiKey key() {
    return key;
  }

  /** Whether a secret with this hash is the key's, in the same time whatever is asked. */
  static boolean opens(@Nullable StoredKey stored, byte[] hash) {
    boolean same = MessageDigest.isEqual(hash, stored == null ? NOBODYS : stored.hash);
    return same && stored != null;
  }
}
