package dev.millpond.engine;

import dev.millpond.engine.admission.Watermarks;
import dev.millpond.engine.dispatch.PriorityClasses;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * How a process takes part. Validated when made; a bad value fails with its key, value and range.
 *
 * @param pgUrl JDBC URL of PostgreSQL 15 to 18, with the user
 * @param redisUrls one URL a Redis server (7.0 or newer), in the order of their numbers, which do
 *     not change: new ones come last; or nodes of one Redis Cluster; none means PostgreSQL only
 * @param shards streams of each queue and class, over all servers
 * @param slots jobs a worker runs at once
 * @param timing leases and beats; the same for all processes of a fleet
 * @param limits what is taken of one job and one submit
 * @param retention how long ended jobs are kept, at least as long as keys live
 * @param webhooks how the end of a job is told to others
 * @param forked the child processes of kinds that run forked
 * @param guard against jobs that are not seen any more, and workers that wear out
 * @param classes priority classes and their weights; the same for all processes of a fleet
 * @param watermarks of queues for which none were set; the same for all processes of a fleet
 */
public record MillpondConfig(
    String pgUrl,
    List<String> redisUrls,
    int shards,
    int slots,
    Timing timing,
    JobLimits limits,
    RetentionConfig retention,
    WebhookConfig webhooks,
    ForkedConfig forked,
    GuardConfig guard,
    PriorityClasses classes,
    Watermarks watermarks) {

  /** Most jobs one worker process may run at once. */
  public static final int SLOTS_MAX = 10_000;

  public static final int SHARDS_MAX = 64;

  private static final Pattern REDIS_URL =
      Pattern.compile("rediss?(-cluster://[^#]+|://[^#]+(#[0-9]{1,2})?)");

  public MillpondConfig {
    redisUrls = List.copyOf(redisUrls);
    if (!pgUrl.startsWith("jdbc:postgresql:")) {
      throw new ConfigException(
          "millpond.pg.url", pgUrl, "a URL that starts with jdbc:postgresql:");
    }
    for (String url : redisUrls) {
      checkRedis(url);
    }
    checkServers(redisUrls);
    if (shards < 1 || shards > SHARDS_MAX) {
      throw new ConfigException("millpond.redis.shards", shards, "1 to " + SHARDS_MAX);
    }
    if (slots < 1 || slots > SLOTS_MAX) {
      throw new ConfigException("millpond.worker.slots", slots, "1 to " + SLOTS_MAX);
    }
    retention.checkKeys(limits.keysLive());
    guard.check(timing);
  }

  private static void checkRedis(String url) {
    if (!REDIS_URL.matcher(url).matches()) {
      throw new ConfigException(
          "millpond.redis.urls",
          url,
          "redis://host:port or rediss://host:port, with #number to keep a server's number,"
              + " or redis-cluster://host:port for nodes of a cluster");
    }
  }

  /** Either nodes of one cluster or servers, each with a number of its own. */
  private static void checkServers(List<String> urls) {
    long nodes = urls.stream().filter(MillpondConfig::isCluster).count();
    if (nodes > 0 && nodes < urls.size()) {
      throw new ConfigException(
          "millpond.redis.urls", String.join(",", urls), "nodes of one cluster, or servers");
    }
    Set<Integer> numbers = new HashSet<>();
    for (int i = 0; nodes == 0 && i < urls.size(); i++) {
      int hash = urls.get(i).indexOf('#');
      int number = hash < 0 ? i : Integer.parseInt(urls.get(i).substring(hash + 1));
      if (number >= SHARDS_MAX || !numbers.add(number)) {
        throw new ConfigException(
            "millpond.redis.urls",
            urls.get(i),
            "servers whose numbers differ and are 0 to " + (SHARDS_MAX - 1));
      }
    }
  }

  /** Whether a URL names a node of a Redis Cluster. */
  public static boolean isCluster(String redisUrl) {
    return redisUrl.startsWith("redis-cluster://") || redisUrl.startsWith("rediss-cluster://");
  }

  /** PostgreSQL alone, with defaults. */
  public static MillpondConfig of(String pgUrl) {
    return new MillpondConfig(
        pgUrl,
        List.of(),
        1,
        defaultSlots(),
        Timing.DEFAULT,
        JobLimits.DEFAULT,
        RetentionConfig.DEFAULT,
        WebhookConfig.NONE,
        ForkedConfig.DEFAULT,
        GuardConfig.DEFAULT,
        PriorityClasses.DEFAULT,
        Watermarks.DEFAULT);
  }

  public MillpondConfig withRedis(List<String> urls) {
    return new MillpondConfig(
        pgUrl,
        urls,
        Math.max(shards, urls.size()),
        slots,
        timing,
        limits,
        retention,
        webhooks,
        forked,
        guard,
        classes,
        watermarks);
  }

  public MillpondConfig withShards(int newShards) {
    return new MillpondConfig(
        pgUrl,
        redisUrls,
        newShards,
        slots,
        timing,
        limits,
        retention,
        webhooks,
        forked,
        guard,
        classes,
        watermarks);
  }

  public MillpondConfig withSlots(int newSlots) {
    return new MillpondConfig(
        pgUrl,
        redisUrls,
        shards,
        newSlots,
        timing,
        limits,
        retention,
        webhooks,
        forked,
        guard,
        classes,
        watermarks);
  }

  public MillpondConfig withTiming(Timing newTiming) {
    return new MillpondConfig(
        pgUrl,
        redisUrls,
        shards,
        slots,
        newTiming,
        limits,
        retention,
        webhooks,
        forked,
        guard,
        classes,
        watermarks);
  }

  public MillpondConfig withLimits(JobLimits newLimits) {
    return new MillpondConfig(
        pgUrl,
        redisUrls,
        shards,
        slots,
        timing,
        newLimits,
        retention,
        webhooks,
        forked,
        guard,
        classes,
        watermarks);
  }

  public MillpondConfig withRetention(RetentionConfig newRetention) {
    return new MillpondConfig(
        pgUrl,
        redisUrls,
        shards,
        slots,
        timing,
        limits,
        newRetention,
        webhooks,
        forked,
        guard,
        classes,
        watermarks);
  }

  public MillpondConfig withWebhooks(WebhookConfig newWebhooks) {
    return new MillpondConfig(
        pgUrl,
        redisUrls,
        shards,
        slots,
        timing,
        limits,
        retention,
        newWebhooks,
        forked,
        guard,
        classes,
        watermarks);
  }

  public MillpondConfig withForked(ForkedConfig newForked) {
    return new MillpondConfig(
        pgUrl,
        redisUrls,
        shards,
        slots,
        timing,
        limits,
        retention,
        webhooks,
        newForked,
        guard,
        classes,
        watermarks);
  }

  public MillpondConfig withGuard(GuardConfig newGuard) {
    return new MillpondConfig(
        pgUrl,
        redisUrls,
        shards,
        slots,
        timing,
        limits,
        retention,
        webhooks,
        forked,
        newGuard,
        classes,
        watermarks);
  }

  public MillpondConfig withClasses(PriorityClasses newClasses) {
    return new MillpondConfig(
        pgUrl,
        redisUrls,
        shards,
        slots,
        timing,
        limits,
        retention,
        webhooks,
        forked,
        guard,
        newClasses,
        watermarks);
  }

  public MillpondConfig withWatermarks(Watermarks newWatermarks) {
    return new MillpondConfig(
        pgUrl,
        redisUrls,
        shards,
        slots,
        timing,
        limits,
        retention,
        webhooks,
        forked,
        guard,
        classes,
        newWatermarks);
  }

  /** {@link Sizing#slots()} of this machine. */
  public static int defaultSlots() {
    return Sizing.here().slots();
  }
}
