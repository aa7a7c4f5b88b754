package dev.millpond.engine.dispatch.streams;

import dev.millpond.engine.dispatch.DispatchException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.core.IntervalFunction;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.params.SetParams;

/**
 * A Redis server, or one shard of a Redis Cluster, behind circuit breakers. After one answer that
 * it is of no use, as a replica is, or two failures or slow answers in a row, it is left alone, for
 * half a second at first and for up to three; its batches go over other shards or straight from
 * PostgreSQL. One that answers again takes new batches only once the reconciler has looked through
 * it; what it still has is read at once. A server whose memory is full is read from, and written to
 * again after a while.
 *
 * <p>Thread-safe; each thread opens a {@link Line}.
 */
public final class RedisServer {
  private static final Logger log = LoggerFactory.getLogger(RedisServer.class);

  private static final Duration SLOW = Duration.ofSeconds(1);
  private static final Duration REST_FIRST = Duration.ofMillis(500);
  private static final Duration REST_MAX = Duration.ofSeconds(3);
  private static final double REST_GROWS = 1.5;
  private static final double JITTER = 0.3;
  private static final long PROBE_LIFE_MILLIS = 1_000;
  private static final String POLICY = "maxmemory_policy:";
  private static final String NO_EVICTION = "noeviction";

  private final String name;
  private final RedisAddress address;
  private final List<Integer> shards;

  /** Whether it answers, in time. */
  private final CircuitBreaker answers;

  /** Whether it takes writes. */
  private final CircuitBreaker writes;

  /** It was away, and nobody has looked through it since. */
  private volatile boolean returned;

  /** Whether the reconciler has been asked to look through it, since it returned. */
  private volatile boolean asked;

  private volatile String trouble = "";

  /** How often it was left alone. Connections from before may lead to what it was then. */
  private final AtomicInteger absences = new AtomicInteger();

  /** A server that has the stream of one shard. */
  public RedisServer(int shard, String url) {
    this("redis." + shard, RedisAddress.of(List.of(url)).getFirst(), List.of(shard));
  }

  /**
   * @param name for logs, metrics and health
   * @param shards whose streams are there
   */
  RedisServer(String name, RedisAddress address, List<Integer> shards) {
    this.name = name;
    this.address = address;
    this.shards = List.copyOf(shards);
    CircuitBreakerConfig breaker =
        CircuitBreakerConfig.custom()
            .slidingWindowSize(2)
            .minimumNumberOfCalls(2)
            .failureRateThreshold(100)
            .slowCallDurationThreshold(SLOW)
            .slowCallRateThreshold(100)
            .permittedNumberOfCallsInHalfOpenState(1)
            .waitIntervalFunctionInOpenState(
                IntervalFunction.ofExponentialRandomBackoff(
                    REST_FIRST, REST_GROWS, JITTER, REST_MAX))
            .build();
    this.answers = CircuitBreaker.of(name, breaker);
    this.writes =
        CircuitBreaker.of(
            name + ".writes",
            CircuitBreakerConfig.from(breaker)
                .slidingWindowSize(1)
                .minimumNumberOfCalls(1)
                .build());
    answers.getEventPublisher().onStateTransition(e -> turned(e.getStateTransition().getToState()));
    writes.getEventPublisher().onStateTransition(e -> filled(e.getStateTransition().getToState()));
  }

  private void turned(State state) {
    if (state == State.OPEN) {
      if (!returned) {
        log.warn("{} ({}) is left alone: {}", name, address, trouble);
      }
      returned = true;
      asked = false;
      absences.incrementAndGet();
    } else if (state == State.CLOSED) {
      log.debug("{} ({}) answers again; it takes new batches once it is reconciled", name, address);
    }
  }

  private void filled(State state) {
    if (state == State.CLOSED) {
      log.info("{} ({}) takes writes again", name, address);
    }
  }

  public String name() {
    return name;
  }

  /** Its number among the servers of the fleet, as a label of metrics. */
  public String number() {
    return name.substring(name.indexOf('.') + 1);
  }

  /** Host and port, or a node of the cluster. */
  public String place() {
    return address.place();
  }

  public List<Integer> shards() {
    return shards;
  }

  /** Whether it answers, as far as known: what is there is read. */
  public boolean up() {
    return answers.getState() == State.CLOSED;
  }

  /** Whether new batches may be put there. */
  public boolean usable() {
    return up() && !returned && writes.getState() == State.CLOSED;
  }

  /** How often it was left alone. */
  public int absences() {
    return absences.get();
  }

  /** Whether it is one shard of a cluster, whose nodes have figures of their own. */
  boolean cluster() {
    return address.cluster();
  }

  /** What is the matter, in words. */
  public String standing() {
    if (!up()) {
      return "left alone: " + trouble;
    }
    if (writes.getState() != State.CLOSED) {
      return "takes no writes: " + trouble;
    }
    return returned ? "answers again, waits to be reconciled" : "answers";
  }

  /** A connection of one thread, opened when needed and given up at the first fault. */
  public final class Line implements AutoCloseable {
    private final String clientName;
    private @Nullable UnifiedJedis client;
    private int openedAfter;

    private Line(String clientName) {
      this.clientName = clientName;
    }

    /**
     * Runs commands.
     *
     * @throws DispatchException when the server does not answer or is of no use for now, or the
     *     breaker is open
     * @throws redis.clients.jedis.exceptions.JedisDataException as the server answered otherwise
     */
    public <T> T call(Function<UnifiedJedis, T> commands) {
      return call(commands, 0);
    }

    /**
     * Runs commands.
     *
     * @param waitMillis that they ask the server to wait for something
     */
    <T> T call(Function<UnifiedJedis, T> commands, long waitMillis) {
      if (!answers.tryAcquirePermission()) {
        throw new DispatchException(name + " is left alone after failures", null);
      }
      long started = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(waitMillis);
      try {
        T result = commands.apply(open());
        answered(started);
        return result;
      } catch (JedisDataException e) {
        throw refused(e, started);
      } catch (JedisException e) {
        throw failed(e, started);
      } catch (IllegalStateException e) {
        // A pipeline to a cluster keeps to itself that its connection broke; the replies are unset.
        throw failed(new JedisConnectionException("no reply: " + e.getMessage()), started);
      } catch (RuntimeException | Error e) {
        answers.releasePermission(); // says nothing about the server, and must not keep the permit
        close();
        throw e;
      }
    }

    private UnifiedJedis open() {
      int now = absences.get();
      if (openedAfter != now) {
        close();
      }
      UnifiedJedis open = client;
      if (open == null) {
        open = address.open(clientName);
        client = open;
        openedAfter = now;
      }
      return open;
    }

    private void answered(long started) {
      long nanos = Math.max(0, System.nanoTime() - started);
      if (nanos > SLOW.toNanos()) {
        trouble = "took " + TimeUnit.NANOSECONDS.toMillis(nanos) + " ms to answer";
      }
      answers.onSuccess(nanos, TimeUnit.NANOSECONDS);
    }

    private DispatchException failed(JedisException e, long started) {
      trouble = String.valueOf(e.getMessage());
      answers.onError(Math.max(0, System.nanoTime() - started), TimeUnit.NANOSECONDS, e);
      close();
      return new DispatchException(name + " does not answer: " + e.getMessage(), e);
    }

    private RuntimeException refused(JedisDataException e, long started) {
      return switch (Answers.of(e)) {
        case ORDINARY -> {
          answered(started);
          yield e;
        }
        case NO_WRITES -> {
          answered(started);
          noWrites(e);
          yield new DispatchException(name + " takes no writes: " + e.getMessage(), e);
        }
        case MOVED -> failed(e, started); // the next connection may reach another one
        case OF_NO_USE -> {
          DispatchException useless = failed(e, started);
          leaveAlone();
          yield useless;
        }
      };
    }

    /**
     * Its own word needs no second one, which may not come: reads that succeed in between hide
     * refused writes from a window of two.
     */
    private void leaveAlone() {
      if (answers.getState() == State.CLOSED) {
        answers.transitionToOpenState();
      }
    }

    @Override
    public void close() {
      UnifiedJedis open = client;
      client = null;
      if (open != null) {
        try {
          open.close();
        } catch (RuntimeException e) {
          log.debug("{}: a broken connection fails to say goodbye: {}", name, e.getMessage());
        }
      }
    }
  }

  /** A write was refused, for want of memory. */
  private void noWrites(JedisDataException answer) {
    trouble = String.valueOf(answer.getMessage());
    if (writes.getState() == State.CLOSED) {
      log.warn(
          "{} ({}) takes no batches for now, they wait in PostgreSQL: {}", name, address, trouble);
    }
    writes.onError(0, TimeUnit.NANOSECONDS, answer);
  }

  public Line line(String clientName) {
    return new Line(clientName);
  }

  /**
   * Says so when it may throw entries away to make room. Called once, by one thread.
   *
   * @throws DispatchException when it does not answer
   */
  void checkPolicy(Line line) {
    if (address.cluster()) {
      return; // each node has its own; the doctor asks them
    }
    String policy = line.call(RedisServer::policy);
    if (!policy.equals(NO_EVICTION)) {
      log.warn(
          "{} ({}) has the maxmemory-policy {}: entries may be thrown away, and their jobs then"
              + " wait for the reconciler. Set it to {}",
          name,
          address,
          policy,
          NO_EVICTION);
    }
  }

  private static String policy(UnifiedJedis client) {
    try {
      return client
          .info("memory")
          .lines()
          .filter(text -> text.startsWith(POLICY))
          .map(text -> text.substring(POLICY.length()).strip())
          .findFirst()
          .orElse(NO_EVICTION);
    } catch (JedisDataException e) {
      return NO_EVICTION; // not allowed to ask, most likely
    }
  }

  /**
   * Finds out whether it may be used again, when it may not. Called now and then by one thread.
   *
   * @throws DispatchException as long as it does not answer
   */
  void probe(Line line) {
    if (!up()) {
      ask(line); // a write: a replica answers reads
    }
    if (writes.getState() != State.CLOSED && writes.tryAcquirePermission()) {
      try {
        line.call(client ->
            client.set(
                StreamNames.probe(shards.getFirst()),
                "",
                SetParams.setParams().px(PROBE_LIFE_MILLIS)));
        writes.onSuccess(0, TimeUnit.NANOSECONDS);
      } catch (RuntimeException | Error e) {
        if (writes.getState() == State.HALF_OPEN) {
          writes.onError(0, TimeUnit.NANOSECONDS, e); // otherwise the refusal has been counted
        }
        throw e;
      }
    }
    if (returned && up()) {
      askOrSee(line);
    }
  }

  /** Removes the marks of its shards. */
  private void ask(Line line) {
    line.call(client -> {
      shards.forEach(shard -> client.del(StreamNames.epoch(shard)));
      return true;
    });
    asked = true;
  }

  /** Asks once, and waits until the reconciler has made the marks again. */
  private void askOrSee(Line line) {
    if (!asked) {
      ask(line);
    } else if (line.call(
        client -> shards.stream().allMatch(shard -> client.exists(StreamNames.epoch(shard))))) {
      returned = false;
      log.info("{} ({}) is reconciled and takes batches again", name, address);
    }
  }
}
