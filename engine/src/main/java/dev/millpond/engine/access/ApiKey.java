package dev.millpond.engine.access;

import java.time.Instant;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A key of a caller, without its secret.
 *
 * @param prefix names the key; the part of it that may be shown
 * @param name of the caller, its principal; several keys may have it
 * @param scopes one at least
 * @param queues that it is bound to; empty for none
 * @param createdBy principal of who made it
 * @param expiresAt null for never
 * @param revokedAt null while it is not
 * @param lastUsedAt to a minute; null when it never was
 */
public record ApiKey(
    String prefix,
    String name,
    Set<Scope> scopes,
    Set<String> queues,
    String createdBy,
    Instant createdAt,
    @Nullable Instant expiresAt,
    @Nullable Instant revokedAt,
    @Nullable Instant lastUsedAt) {
  public ApiKey {
    scopes = Set.copyOf(scopes);
    queues = Set.copyOf(queues);
  }

  /** Whether it works at an instant. */
  public boolean live(Instant now) {
    return revokedAt == null && (expiresAt == null || now.isBefore(expiresAt));
  }
}
