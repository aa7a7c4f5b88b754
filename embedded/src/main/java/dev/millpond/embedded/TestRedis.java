package dev.millpond.embedded;

import java.io.IOException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A Redis that one test has to itself until it is closed; empty at first. From {@link
 * TestServers#redis()}.
 */
public final class TestRedis implements AutoCloseable {
  private final String url;
  private final @Nullable EmbeddedRedis server;
  private final Consumer<TestRedis> giveBack;

  TestRedis(String url, @Nullable EmbeddedRedis server, Consumer<TestRedis> giveBack) {
    this.url = url;
    this.server = server;
    this.giveBack = giveBack;
  }

  public String url() {
    return url;
  }

  /** Forgets everything, as a Redis that lost its data. */
  public void empty() {
    try (RedisConnection connection = RedisConnection.open(url)) {
      connection.command("FLUSHALL");
    } catch (IOException e) {
      throw new EmbeddedServerException("Cannot empty the Redis of a test.", e);
    }
  }

  /**
   * The server, for tests that stop it; it comes back for the next one.
   *
   * @throws IllegalStateException when it is an external one
   */
  public EmbeddedRedis embedded() {
    if (server == null) {
      throw TestServers.external("Redis", TestServers.REDIS_VARIABLE);
    }
    return server;
  }

  @Nullable EmbeddedRedis server() {
    return server;
  }

  @Override
  public void close() {
    giveBack.accept(this);
  }
}
