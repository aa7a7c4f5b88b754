package dev.millpond.engine.audit;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Which entries; null means any.
 *
 * @param action the whole action, or its noun
 * @param since earliest instant
 * @param until instant before which it was
 */
public record AuditFilter(
    @Nullable String principal,
    @Nullable String key,
    @Nullable String action,
    @Nullable String target,
    @Nullable Instant since,
    @Nullable Instant until) {
  public static final AuditFilter ALL = new AuditFilter(null, null, null, null, null, null);

  public AuditFilter withPrincipal(String value) {
    return new AuditFilter(value, key, action, target, since, until);
  }

  public AuditFilter withKey(String value) {
    return new AuditFilter(principal, value, action, target, since, until);
  }

  public AuditFilter withAction(String value) {
    return new AuditFilter(principal, key, value, target, since, until);
  }

  public AuditFilter withTarget(String value) {
    return new AuditFilter(principal, key, action, value, since, until);
  }

  public AuditFilter withSince(Instant value) {
    return new AuditFilter(principal, key, action, target, value, until);
  }

  public AuditFilter withUntil(Instant value) {
    return new AuditFilter(principal, key, action, target, since, value);
  }
}
