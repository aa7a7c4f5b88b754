package dev.millpond.engine.fleet;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * That a worker is to take nothing more.
 *
 * @param askedAt by the database's clock
 * @param by who has asked, as said
 * @param reason as said
 */
public record DrainOrder(Instant askedAt, @Nullable String by, @Nullable String reason) {}
