package dev.millpond.server.doctor.streams;

import dev.millpond.engine.MillpondConfig;
import dev.millpond.server.doctor.Finding;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.exceptions.JedisException;

/** One Redis server: can it carry the streams, and will it keep what is put into it? */
public final class RedisCheck {
  private static final int OLDEST = 7;
  private static final int TIMEOUT_MILLIS = 5_000;
  private static final int PINGS = 7;
  private static final Duration PING_SAID = Duration.ofMillis(5);
  private static final Duration CLOCK_SAID = Duration.ofSeconds(1);

  /** Share of the memory in use from which it is said, in percent. */
  private static final int MEMORY_WARNED = 80;

  private RedisCheck() {}

  /**
   * Asks one server.
   *
   * @param name what the server is called in the findings
   * @param databaseAhead how far PostgreSQL's clock is ahead of this machine's
   */
  public static List<Finding> run(String name, String url, Duration databaseAhead) {
    List<Finding> findings = new ArrayList<>();
    try {
      boolean clustered = MillpondConfig.isCluster(url);
      URI uri = URI.create(url.replaceFirst("^(rediss?)-cluster:", "$1:"));
      String cli =
          "redis-cli -h %s -p %d "
              .formatted(uri.getHost(), uri.getPort() < 0 ? 6379 : uri.getPort());
      try (Jedis redis = open(uri)) {
        Map<String, String> info = fields(redis.info());
        findings.add(version(name, info));
        findings.add(policy(name, info, cli));
        findings.add(memory(name, info, cli));
        findings.add(role(name, info, clustered, cli));
        findings.add(cluster(name, info, clustered));
        findings.add(appendOnly(name, info, cli));
        findings.add(threads(name, info));
        findings.add(latency(name, redis, cli));
        findings.add(clock(name, redis, databaseAhead));
      }
    } catch (JedisException | IllegalArgumentException e) {
      findings.add(
          Finding.error(
              name,
              "cannot be reached: " + e.getMessage(),
              "until it can, jobs flow through PostgreSQL and start later",
              "Check millpond.redis.urls and that Redis runs there"));
    }
    return findings;
  }

  private static Finding version(String name, Map<String, String> info) {
    String version = info.getOrDefault("redis_version", "unknown");
    return leading(version) >= OLDEST
        ? Finding.ok(name + ".version", version)
        : Finding.error(
            name + ".version",
            version,
            "Millpond is tested with Redis " + OLDEST + ".0 and newer only",
            "Use Redis " + OLDEST + ".0 or newer");
  }

  private static Finding policy(String name, Map<String, String> info, String cli) {
    String policy = info.getOrDefault("maxmemory_policy", "unknown");
    return policy.equals("noeviction")
        ? Finding.ok(name + ".maxmemory-policy", policy)
        : Finding.error(
            name + ".maxmemory-policy",
            policy,
            "entries can be evicted, and their jobs wait for the reconciler",
            cli + "CONFIG SET maxmemory-policy noeviction");
  }

  private static Finding memory(String name, Map<String, String> info, String cli) {
    long most = leading(info.getOrDefault("maxmemory", "0"));
    long used = leading(info.getOrDefault("used_memory", "0"));
    String found = used / 1024 / 1024 + " MiB in use, ";
    if (most <= 0) {
      return Finding.info(
          name + ".maxmemory",
          found + "no limit",
          "Millpond keeps only a window of the jobs there, but others may fill the machine",
          cli + "CONFIG SET maxmemory 1gb");
    }
    found += "at most " + most / 1024 / 1024;
    return used * 100 < most * MEMORY_WARNED
        ? Finding.ok(name + ".maxmemory", found)
        : Finding.warning(
            name + ".maxmemory",
            found,
            "once it is full, jobs flow through PostgreSQL and start later",
            cli + "CONFIG SET maxmemory " + most * 2);
  }

  private static Finding role(
      String name, Map<String, String> info, boolean clustered, String cli) {
    String role = info.getOrDefault("role", "unknown");
    return clustered || role.equals("master")
        ? Finding.ok(name + ".role", role)
        : Finding.error(
            name + ".role",
            role,
            "a replica takes no writes",
            "Name the primary in millpond.redis.urls, or " + cli + "REPLICAOF NO ONE");
  }

  private static Finding cluster(String name, Map<String, String> info, boolean clustered) {
    boolean on = !info.getOrDefault("cluster_enabled", "0").equals("0");
    if (clustered && !on) {
      return Finding.error(
          name + ".cluster",
          "off",
          "it is no node of a Redis Cluster",
          "Name it as redis://host:port in millpond.redis.urls");
    }
    return on == clustered
        ? Finding.ok(name + ".cluster", on ? "on" : "off")
        : Finding.error(
            name + ".cluster",
            "on",
            "streams whose slot is elsewhere cannot be used",
            "Name it as redis-cluster://host:port in millpond.redis.urls");
  }

  private static Finding appendOnly(String name, Map<String, String> info, String cli) {
    boolean on = info.getOrDefault("aof_enabled", "0").equals("1");
    return Finding.info(
        name + ".appendonly",
        on ? "on" : "off",
        "no job depends on it: after a crash of Redis what was in it is sent again from PostgreSQL,"
            + " a little later without the file",
        on ? null : cli + "CONFIG SET appendonly yes");
  }

  /** A batch of 64 jobs takes four commands, so one thread carries more than PostgreSQL does. */
  private static Finding threads(String name, Map<String, String> info) {
    return Finding.ok(
        name + ".io-threads",
        info.getOrDefault("io_threads_active", "0").equals("0")
            ? "one thread, which is enough"
            : "several, which do no harm");
  }

  private static Finding latency(String name, Jedis redis, String cli) {
    long[] nanos = new long[PINGS];
    for (int i = 0; i < PINGS; i++) {
      long start = System.nanoTime();
      redis.ping();
      nanos[i] = System.nanoTime() - start;
    }
    Arrays.sort(nanos);
    Duration median = Duration.ofNanos(nanos[PINGS / 2]);
    String found = "PING takes %.2f ms".formatted(median.toNanos() / 1e6);
    return median.compareTo(PING_SAID) < 0
        ? Finding.ok(name + ".latency", found)
        : Finding.warning(
            name + ".latency",
            found,
            "every start of a job waits for it",
            cli + "--latency, and its SLOWLOG GET; a server nearby is faster");
  }

  private static Finding clock(String name, Jedis redis, Duration databaseAhead) {
    long start = System.nanoTime();
    Instant before = Instant.now();
    List<String> time = redis.time();
    long nanos = System.nanoTime() - start;
    Instant there =
        Instant.ofEpochSecond(Long.parseLong(time.get(0)), Long.parseLong(time.get(1)) * 1_000);
    Duration off = Duration.between(before.plusNanos(nanos / 2).plus(databaseAhead), there);
    String found =
        off.abs().toMillis()
            + " ms "
            + (off.isNegative() ? "behind" : "ahead of")
            + " PostgreSQL's clock";
    return off.abs().compareTo(CLOCK_SAID) < 0
        ? Finding.ok(name + ".clock", found)
        : Finding.warning(
            name + ".clock",
            found,
            "ids of entries carry its time, which is shown beside PostgreSQL's",
            "timedatectl set-ntp true, on both machines");
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

  /** The number a text starts with; -1 when it starts with none. */
  private static long leading(String text) {
    String digits = text.replaceFirst("[^0-9].*", "");
    return digits.isEmpty() || digits.length() > 18 ? -1 : Long.parseLong(digits);
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
