package dev.millpond.engine.dispatch.streams;

import dev.millpond.engine.MillpondConfig;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.SslOptions;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.util.JedisURIHelper;

/**
 * Where streams are: one Redis server, or a Redis Cluster, which is found by any of its nodes.
 *
 * @param uris one of the server; one or more nodes of the cluster, alike but for host and port
 */
record RedisAddress(boolean cluster, List<URI> uris) {
  private static final String CLUSTER = "redis-cluster";
  private static final String CLUSTER_TLS = "rediss-cluster";
  private static final int DEFAULT_PORT = 6379;
  private static final int CONNECT_TIMEOUT_MILLIS = 1_000;

  /** Nothing but a blocking read takes longer on a server that is in order. */
  private static final int SOCKET_TIMEOUT_MILLIS = 1_500;

  /** Longest a read may ask the server to wait for entries. */
  static final int BLOCK_MAX_MILLIS = 1_000;

  private static final int REDIRECTIONS_MAX = 3;
  private static final Duration REDIRECTIONS_WITHIN = Duration.ofMillis(1_500);

  /** The servers of a list of URLs; all those of a cluster are one. */
  static List<RedisAddress> of(List<String> urls) {
    List<RedisAddress> addresses = new ArrayList<>();
    List<URI> nodes = new ArrayList<>();
    for (String url : urls) {
      if (MillpondConfig.isCluster(url)) {
        nodes.add(
            URI.create(
                url.startsWith(CLUSTER_TLS)
                    ? "rediss" + url.substring(CLUSTER_TLS.length())
                    : "redis" + url.substring(CLUSTER.length())));
      } else {
        addresses.add(new RedisAddress(false, List.of(URI.create(url))));
      }
    }
    if (!nodes.isEmpty()) {
      addresses.add(new RedisAddress(true, List.copyOf(nodes)));
    }
    return addresses;
  }

  /** The number that its URL gives it, after a #; -1 when it goes by its place in the list. */
  int number() {
    String fragment = uris.getFirst().getFragment();
    return fragment == null || fragment.isEmpty() ? -1 : Integer.parseInt(fragment);
  }

  /** Its name for people, without user and password. */
  String place() {
    HostAndPort first = node(uris.getFirst());
    int database = cluster ? 0 : JedisURIHelper.getDBIndex(uris.getFirst());
    return (cluster ? "cluster " : "") + first + (database == 0 ? "" : "/" + database);
  }

  private static HostAndPort node(URI uri) {
    return new HostAndPort(uri.getHost(), uri.getPort() < 0 ? DEFAULT_PORT : uri.getPort());
  }

  /**
   * A client of one thread, with one connection to each server. A cluster is asked for its slots
   * now.
   */
  UnifiedJedis open(String clientName) {
    URI uri = uris.getFirst();
    DefaultJedisClientConfig config =
        DefaultJedisClientConfig.builder()
            .resp2()
            .connectionTimeoutMillis(CONNECT_TIMEOUT_MILLIS)
            .socketTimeoutMillis(SOCKET_TIMEOUT_MILLIS)
            .blockingSocketTimeoutMillis(BLOCK_MAX_MILLIS + SOCKET_TIMEOUT_MILLIS)
            .sslOptions(JedisURIHelper.isRedisSSLScheme(uri) ? SslOptions.defaults() : null)
            .user(JedisURIHelper.getUser(uri))
            .password(JedisURIHelper.getPassword(uri))
            .database(cluster ? 0 : JedisURIHelper.getDBIndex(uri))
            .clientName(clientName)
            .build();
    if (!cluster) {
      return RedisClient.builder()
          .hostAndPort(node(uri))
          .clientConfig(config)
          .poolConfig(one())
          .build();
    }
    Set<HostAndPort> nodes = new HashSet<>();
    uris.forEach(each -> nodes.add(node(each)));
    return RedisClusterClient.builder()
        .nodes(nodes)
        .clientConfig(config)
        .poolConfig(one())
        .maxAttempts(REDIRECTIONS_MAX)
        .maxTotalRetriesDuration(REDIRECTIONS_WITHIN)
        .build();
  }

  private static ConnectionPoolConfig one() {
    ConnectionPoolConfig pool = new ConnectionPoolConfig();
    pool.setMaxTotal(1);
    pool.setMaxIdle(1);
    pool.setMinIdle(0);
    pool.setMaxWait(Duration.ofMillis(CONNECT_TIMEOUT_MILLIS));
    pool.setJmxEnabled(false);
    pool.setTestWhileIdle(false);
    pool.setTimeBetweenEvictionRuns(Duration.ofMillis(-1));
    return pool;
  }

  @Override
  public String toString() {
    return place();
  }
}
