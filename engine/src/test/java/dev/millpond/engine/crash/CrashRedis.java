package dev.millpond.engine.crash;

import dev.millpond.embedded.TestRedis;
import dev.millpond.embedded.TestServers;
import org.jspecify.annotations.Nullable;

/**
 * The Redis of all crash scenes that are open: each has a queue of its own, and none empties it.
 */
final class CrashRedis {
  private static @Nullable TestRedis redis;
  private static int scenes;

  private CrashRedis() {}

  /** Its URL, until {@link #leave()}. */
  static synchronized String enter() {
    TestRedis shared = redis;
    if (shared == null) {
      shared = TestServers.get().redis();
      redis = shared;
    }
    scenes++;
    return shared.url();
  }

  static synchronized void leave() {
    scenes--;
    if (scenes == 0 && redis != null) {
      redis.close();
      redis = null;
    }
  }
}
