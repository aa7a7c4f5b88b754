package dev.millpond.embedded;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The Redis servers of a test JVM: as many embedded ones as tests need at once, or the one external
 * one, for which they wait in turn. Thread-safe.
 */
final class TestRedisShelf {
  /** Embedded servers are in folders of this name, with a number after it. */
  static final String FOLDER = "redis-";

  private static final long TURN_PATIENCE_MINUTES = 10;

  private final BlockingQueue<TestRedis> idle = new LinkedBlockingQueue<>();
  private final List<EmbeddedRedis> started = new ArrayList<>();
  private final @Nullable Path directory;

  private TestRedisShelf(@Nullable Path directory) {
    this.directory = directory;
  }

  static TestRedisShelf external(String url) {
    TestRedisShelf shelf = new TestRedisShelf(null);
    shelf.idle.add(new TestRedis(url, null, shelf.idle::add));
    return shelf;
  }

  /** Starts a first one. */
  static TestRedisShelf embedded(Path directory) {
    TestRedisShelf shelf = new TestRedisShelf(directory);
    shelf.idle.add(shelf.start(directory));
    return shelf;
  }

  /** An empty one that runs, to be closed. */
  TestRedis take() {
    TestRedis taken = idle.poll();
    if (taken == null) {
      taken = directory == null ? awaitTurn() : start(directory);
    }
    EmbeddedRedis server = taken.server();
    if (server != null && !server.isRunning()) {
      server.restart();
    }
    taken.empty();
    return taken;
  }

  private TestRedis awaitTurn() {
    try {
      TestRedis next = idle.poll(TURN_PATIENCE_MINUTES, TimeUnit.MINUTES);
      if (next == null) {
        throw new IllegalStateException(
            "The external Redis is in use by another test of this JVM; was it closed?");
      }
      return next;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for the external Redis", e);
    }
  }

  private synchronized TestRedis start(Path in) {
    StartOptions options =
        StartOptions.defaults().withStopAtExit(false).withSetting("enable-debug-command", "local");
    EmbeddedRedis server = EmbeddedRedis.start(in.resolve(FOLDER + started.size()), options);
    started.add(server);
    return new TestRedis(server.url(), server, idle::add);
  }

  synchronized void end() {
    started.forEach(EmbeddedRedis::abandon);
  }
}
