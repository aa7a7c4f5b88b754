package dev.millpond.engine.submit;

import com.github.f4b6a3.uuid.factory.standard.TimeOrderedEpochFactory;
import dev.millpond.engine.lifecycle.store.IdTime;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.UUID;
import java.util.function.Supplier;

/**
 * Ids of jobs and dispatch rows: UUIDv7, growing within a process, by the database's clock as far
 * as known, so that they fall into partitions that exist. Thread-safe.
 */
public final class JobIds implements Supplier<UUID> {
  private final TimeOrderedEpochFactory factory;

  public JobIds(InstantSource clock) {
    this.factory =
        TimeOrderedEpochFactory.builder()
            .withIncrementPlus1()
            .withClock(clock.withZone(ZoneOffset.UTC))
            .build();
  }

  @Override
  public UUID get() {
    return factory.create();
  }

  /** When an id was made, to the millisecond. */
  public static Instant madeAt(UUID id) {
    return Instant.ofEpochMilli(IdTime.millis(id));
  }

  /** Whether an id has the form of ours. */
  public static boolean isOurs(UUID id) {
    return id.version() == 7 && id.variant() == 2;
  }
}
