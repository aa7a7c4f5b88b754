package dev.millpond.server.doctor.streams;

import dev.millpond.server.doctor.Finding;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.exceptions.JedisException;

/** Reachability, version and eviction policy of one Redis server. */
public final class RedisCheck {
  private static final int OLDEST = 7;
  private static final int TIMEOUT_MILLIS = 5_000;

  private RedisCheck() {}

  /**
   * Asks one server.
   *
   * @param name what the server is called in the findings
   */
  public static List<Finding> run(String name, String url) {
    List<Finding> findings = new ArrayList<>();
    try (Jedis redis = open(URI.create(url))) {
      Map<String, String> info = fields(redis.info());
      String version = info.getOrDefault("redis_version", "unknown");
      findings.add(
          major(version) >= OLDEST
              ? Finding.ok(name + ".version", version)
              : Finding.wrong(name + ".version", version, "Use Redis " + OLDEST + ".0 or newer"));
      String policy = info.getOrDefault("maxmemory_policy", "unknown");
      findings.add(
          policy.equals("noeviction")
              ? Finding.ok(name + ".maxmemory-policy", policy)
              : Finding.wrong(
                  name + ".maxmemory-policy",
                  policy + ": entries can be evicted, and their jobs wait for the reconciler",
                  "Set maxmemory-policy noeviction"));
    } catch (JedisException | IllegalArgumentException e) {
      findings.add(
          Finding.wrong(
              name,
              "cannot be reached: " + e.getMessage(),
              "Check millpond.redis.urls and that Redis runs there; until then jobs flow"
                  + " through PostgreSQL"));
    }
    return findings;
  }

  /** Scheme, user and password are taken from the URL. */
  private static Jedis open(URI uri) {
    return new Jedis(
        uri,
        DefaultJedisClientConfig.builder()
            .resp2()
            .timeoutMillis(TIMEOUT_MILLIS)
            .clientName("millpond-doctor")
            .build());
  }

  private static int major(String version) {
    try {
      return Integer.parseInt(version.replaceFirst("\\..*", ""));
    } catch (NumberFormatException e) {
      return 0;
    }
  }

  private static Map<String, String> fields(String info) {
    return info.lines()
        .filter(line -> line.indexOf(':') > 0)
        .collect(
            Collectors.toMap(
                line -> line.substring(0, line.indexOf(':')),
                line -> line.substring(line.indexOf(':') + 1).strip(),
                (first, second) -> first));
  }
}
