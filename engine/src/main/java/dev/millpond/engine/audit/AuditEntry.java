package dev.millpond.engine.audit;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * One change that a caller has made.
 *
 * @param id grows with time
 * @param at by the database's clock
 * @param key prefix of the caller's key; null without one
 * @param address from where; null when unknown
 * @param action noun and verb such as {@code queues.pause}
 * @param target what was changed, such as a queue's name or a job's id
 * @param before JSON; null when there was nothing
 * @param after JSON; null when there is nothing any more
 */
public record AuditEntry(
    long id,
    Instant at,
    String principal,
    @Nullable String key,
    @Nullable String address,
    String action,
    String target,
    @Nullable String before,
    @Nullable String after) {}
