package dev.millpond.engine.dispatch.streams;

import dev.millpond.engine.dispatch.DispatchException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import java.net.URI;
import java.time.Duration;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.SslOptions;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.util.JedisURIHelper;

/**
 * One Redis server behind a circuit breaker: after two failures it is left alone for a second at a
 * time, and its batches go straight from PostgreSQL. Thread-safe; each thread opens a {@link Line}.
 */
public final class RedisServer {
  private static final int CONNECT_TIMEOUT_MILLIS = 1_000;
  private static final int SOCKET_TIMEOUT_MILLIS = 2_000;

  /** On top of the time that a blocking read asks for. */
  private static final int BLOCKING_TIMEOUT_MILLIS = 5_000;

  private final String name;
  private final URI uri;
  private final CircuitBreaker breaker;

  /**
   * @param index of the server; the name is made of it
   */
  public RedisServer(int index, String url) {
    this.name = "redis." + index;
    this.uri = URI.create(url);
    this.breaker =
        CircuitBreaker.of(
            name,
            CircuitBreakerConfig.custom()
                .slidingWindowSize(2)
                .minimumNumberOfCalls(2)
                .failureRateThreshold(100)
                .waitDurationInOpenState(Duration.ofSeconds(1))
                .automaticTransitionFromOpenToHalfOpenEnabled(true)
                .permittedNumberOfCallsInHalfOpenState(1)
                .build());
  }

  public String name() {
    return name;
  }

  /** Whether its breaker lets work through. */
  public boolean up() {
    return breaker.getState() != CircuitBreaker.State.OPEN
        && breaker.getState() != CircuitBreaker.State.FORCED_OPEN;
  }

  /** A connection of one thread, opened when needed and given up at the first fault. */
  public final class Line implements AutoCloseable {
    private final String clientName;
    private @Nullable Jedis jedis;

    private Line(String clientName) {
      this.clientName = clientName;
    }

    /**
     * Runs commands.
     *
     * @throws DispatchException when the server does not answer, or the breaker is open
     * @throws redis.clients.jedis.exceptions.JedisDataException as the server answered
     */
    public <T> T call(Function<Jedis, T> commands) {
      if (!breaker.tryAcquirePermission()) {
        throw new DispatchException(name + " is left alone after failures", null);
      }
      long started = System.nanoTime();
      try {
        Jedis open = jedis;
        if (open == null) {
          open = connect();
          jedis = open;
        }
        T result = commands.apply(open);
        breaker.onSuccess(System.nanoTime() - started, java.util.concurrent.TimeUnit.NANOSECONDS);
        return result;
      } catch (JedisConnectionException e) {
        breaker.onError(System.nanoTime() - started, java.util.concurrent.TimeUnit.NANOSECONDS, e);
        close();
        throw new DispatchException(name + " does not answer: " + e.getMessage(), e);
      } catch (JedisException e) {
        // An answer, if an unwelcome one (NOGROUP, OOM, LOADING): the connection is in order.
        breaker.onSuccess(System.nanoTime() - started, java.util.concurrent.TimeUnit.NANOSECONDS);
        throw e;
      } catch (RuntimeException e) {
        breaker.releasePermission();
        close();
        throw e;
      }
    }

    private Jedis connect() {
      Jedis open =
          new Jedis(
              uri,
              DefaultJedisClientConfig.builder()
                  .resp2()
                  .connectionTimeoutMillis(CONNECT_TIMEOUT_MILLIS)
                  .socketTimeoutMillis(SOCKET_TIMEOUT_MILLIS)
                  .blockingSocketTimeoutMillis(BLOCKING_TIMEOUT_MILLIS)
                  .sslOptions(JedisURIHelper.isRedisSSLScheme(uri) ? SslOptions.defaults() : null)
                  .user(JedisURIHelper.getUser(uri))
                  .password(JedisURIHelper.getPassword(uri))
                  .database(JedisURIHelper.getDBIndex(uri))
                  .clientName(clientName)
                  .build());
      open.connect();
      return open;
    }

    @Override
    public void close() {
      Jedis open = jedis;
      jedis = null;
      if (open != null) {
        try {
          open.close();
        } catch (JedisException e) {
          // a broken connection may fail to say goodbye
          return;
        }
      }
    }
  }

  public Line line(String clientName) {
    return new Line(clientName);
  }
}
