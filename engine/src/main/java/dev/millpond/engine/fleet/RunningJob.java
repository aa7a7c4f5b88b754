package dev.millpond.engine.fleet;

import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A job that a worker has been running for longer than the settle time, so that it has a row of its
 * own.
 *
 * @param seenAt when its worker last said that it runs it
 * @param deadline at which the attempt is ended, whatever its handler does
 * @param percent how far it has come by its own account; null when it does not say
 * @param cancelling whether it is asked to stop
 */
public record RunningJob(
    UUID id,
    String kind,
    String queue,
    String priorityClass,
    int attempt,
    Instant startedAt,
    Instant seenAt,
    Instant deadline,
    @Nullable Integer percent,
    boolean cancelling) {}
