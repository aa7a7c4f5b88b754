package dev.millpond.chaos.fleet;

import dev.millpond.embedded.EmbeddedPostgres;
import dev.millpond.embedded.EmbeddedRedis;
import dev.millpond.embedded.StartOptions;
import java.nio.file.Path;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * PostgreSQL and Redis of a campaign, and who ends them should this process be killed.
 *
 * @param disk what PostgreSQL's data is on, when that is bounded
 */
record Servers(
    EmbeddedPostgres postgres, EmbeddedRedis redis, ServerGuard guard, @Nullable BoundedDisk disk)
    implements AutoCloseable {

  /** Members have to end before them, so they are not stopped by exit hooks of their own. */
  private static final StartOptions OPTIONS = StartOptions.defaults().withStopAtExit(false);

  private static final StartOptions POSTGRES = OPTIONS.withSetting("shared_buffers", "128MB");

  /** Each new file of the log needs room of its own, as where files are written anew. */
  private static final StartOptions POSTGRES_ON_BOUNDED_DISK =
      POSTGRES
          .withSetting("wal_recycle", "off")
          .withSetting("min_wal_size", "32MB")
          .withSetting("max_wal_size", "256MB");

  static Servers start(Path home, Set<Equipment> equipment) {
    Path redisHome = home.resolve("redis");
    Path redisPid = redisHome.resolve("redis.pid");
    if (equipment.contains(Equipment.BOUNDED_DISK)) {
      BoundedDisk.mend(home.resolve("postgres").resolve("pgdata")); // a guard may have been killed
    }
    EmbeddedPostgres postgres = EmbeddedPostgres.start(home.resolve("postgres"), POSTGRES);
    ServerGuard guard = ServerGuard.watch(postgres.dataDirectory(), redisPid);
    BoundedDisk disk = null;
    try {
      if (equipment.contains(Equipment.BOUNDED_DISK)) {
        postgres.close(); // it has made its directory, which is wanted whole
        disk = BoundedDisk.over(postgres.dataDirectory());
        postgres = EmbeddedPostgres.start(home.resolve("postgres"), POSTGRES_ON_BOUNDED_DISK);
      }
      EmbeddedRedis redis = EmbeddedRedis.start(redisHome, OPTIONS);
      return new Servers(postgres, redis, guard, disk);
    } catch (RuntimeException e) {
      close(postgres, disk, guard);
      throw e;
    }
  }

  @Override
  public void close() {
    try {
      redis.close();
    } finally {
      close(postgres, disk, guard);
    }
  }

  private static void close(
      EmbeddedPostgres postgres, @Nullable BoundedDisk disk, ServerGuard guard) {
    postgres.close();
    if (disk != null) {
      disk.close();
    }
    guard.close(); // not before: should any of it fail, the guard does it when this process ends
  }
}
