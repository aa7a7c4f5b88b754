package dev.millpond.server.config;

import dev.millpond.engine.ConfigException;
import dev.millpond.engine.ForkedConfig;
import dev.millpond.engine.GuardConfig;
import dev.millpond.engine.JobLimits;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.RetentionConfig;
import dev.millpond.engine.Timing;
import dev.millpond.engine.WebhookConfig;
import dev.millpond.engine.admission.Watermarks;
import dev.millpond.engine.admission.Watermarks.Mark;
import dev.millpond.engine.dispatch.PriorityClasses;
import dev.millpond.engine.net.Cidr;
import dev.millpond.engine.webhook.AllowedTargets;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The configuration of a server process, valid as a whole.
 *
 * @param engine how the process takes part in the queue
 * @param roles what it does, at least one
 * @param access who may call
 * @param bind a loopback address unless callers need a key
 * @param port 0 to 65535, 0 takes a free one
 * @param bodies how large a request may be
 * @param handlers jars with a handler module; only with the worker role
 * @param drainTimeout how long running jobs may take to finish when the process is told to stop
 * @param booksEvery how often the leader checks the books; null for never
 * @param traces where spans go; null for nowhere
 * @param dataDir for this process's files
 * @param runFile where the actual address is written
 */
public record ServerConfig(
    MillpondConfig engine,
    Set<Role> roles,
    AccessConfig access,
    InetAddress bind,
    int port,
    BodyLimits bodies,
    List<Path> handlers,
    Duration drainTimeout,
    @Nullable Duration booksEvery,
    @Nullable TraceConfig traces,
    Path dataDir,
    Path runFile) {

  /** The most a stop may be put off. */
  public static final Duration DRAIN_MOST = Duration.ofHours(1);

  private static final Duration BOOKS_EVERY_LEAST = Duration.ofSeconds(1);
  private static final Duration BOOKS_EVERY_MOST = Duration.ofDays(30);

  private static final Set<String> LOG_LEVELS = Set.of("error", "warn", "info", "debug", "trace");

  private static final Set<String> LOG_FORMATS = Set.of("text", "json");

  public ServerConfig {
    roles = Set.copyOf(roles);
    handlers = List.copyOf(handlers);
  }

  private static final String CLASSES_FORM = "CLASS=WEIGHT with commas; weights of 1 to 10000";

  /**
   * Reads and checks all keys.
   *
   * @throws ConfigException naming the first key whose value cannot be used
   */
  public static ServerConfig of(ConfigValues values) {
    Set<Role> roles = roles(values);
    List<Path> handlers =
        list(values.get(ConfigKey.HANDLERS)).stream()
            .map(text -> path(values, ConfigKey.HANDLERS, text))
            .toList();
    if (!handlers.isEmpty() && !roles.contains(Role.WORKER)) {
      throw values.refuse(ConfigKey.HANDLERS, "empty without the role worker");
    }
    AccessConfig access = access(values);
    logLevel(values);
    logFormat(values);
    Path dataDir = path(values, ConfigKey.DATA_DIR, values.get(ConfigKey.DATA_DIR));
    return new ServerConfig(
        engine(values),
        roles,
        access,
        bind(values, access),
        number(values, ConfigKey.HTTP_PORT, 0, 65535),
        bodies(values),
        handlers,
        drainTimeout(values),
        booksEvery(values),
        traces(values),
        dataDir,
        values
            .find(ConfigKey.RUN_FILE)
            .map(text -> path(values, ConfigKey.RUN_FILE, text))
            .orElse(dataDir.resolve("run.json")));
  }

  private static AccessConfig access(ConfigValues values) {
    boolean keys =
        switch (values.get(ConfigKey.AUTH_MODE)) {
          case "none" -> false;
          case "keys" -> true;
          default -> throw values.refuse(ConfigKey.AUTH_MODE, "none, keys");
        };
    boolean metricsOpen =
        switch (values.get(ConfigKey.METRICS_OPEN)) {
          case "true" -> true;
          case "false" -> false;
          default -> throw values.refuse(ConfigKey.METRICS_OPEN, "true, false");
        };
    return new AccessConfig(keys, metricsOpen || !keys, proxies(values));
  }

  private static TrustedProxies proxies(ConfigValues values) {
    String forms = "addresses and ranges such as 10.1.0.0/16, at most " + TrustedProxies.RANGES_MAX;
    List<Cidr> ranges = new ArrayList<>();
    for (String text : list(values.get(ConfigKey.HTTP_PROXIES))) {
      try {
        ranges.add(Cidr.of(text));
      } catch (IllegalArgumentException e) {
        throw values.refuse(ConfigKey.HTTP_PROXIES, forms);
      }
      if (ranges.getLast().all()) {
        throw values.refuse(
            ConfigKey.HTTP_PROXIES, forms + "; with " + text + " anybody would be believed");
      }
    }
    if (ranges.size() > TrustedProxies.RANGES_MAX) {
      throw values.refuse(ConfigKey.HTTP_PROXIES, forms);
    }
    String name = values.get(ConfigKey.HTTP_PROXY_HEADER);
    return new TrustedProxies(
        ranges,
        Arrays.stream(TrustedProxies.Header.values())
            .filter(header -> header.wireName().equalsIgnoreCase(name))
            .findFirst()
            .orElseThrow(
                () -> values.refuse(ConfigKey.HTTP_PROXY_HEADER, "X-Forwarded-For, Forwarded")));
  }

  private static BodyLimits bodies(ConfigValues values) {
    int payload =
        number(values, ConfigKey.PAYLOAD_BYTES, JobLimits.BYTES_LEAST, JobLimits.PAYLOAD_BYTES_MAX);
    int body =
        number(
            values,
            ConfigKey.HTTP_BODY_BYTES,
            Math.max(BodyLimits.LEAST, payload),
            BodyLimits.JSON_MAX);
    Duration silence = duration(values, ConfigKey.HTTP_TIMEOUT, Duration.ZERO);
    if (silence.compareTo(BodyLimits.SILENCE_LEAST) < 0
        || silence.compareTo(BodyLimits.SILENCE_MAX) > 0) {
      throw values.refuse(
          ConfigKey.HTTP_TIMEOUT, BodyLimits.SILENCE_LEAST + " to " + BodyLimits.SILENCE_MAX);
    }
    return new BodyLimits(
        body, number(values, ConfigKey.HTTP_NDJSON_BYTES, body, BodyLimits.NDJSON_MAX), silence);
  }

  /** The part that every command needs which opens PostgreSQL. */
  public static MillpondConfig engine(ConfigValues values) {
    String pgUrl =
        values
            .find(ConfigKey.PG_URL)
            .orElseThrow(
                () -> values.refuse(ConfigKey.PG_URL, "a URL that starts with jdbc:postgresql:"));
    List<String> redisUrls = list(values.get(ConfigKey.REDIS_URLS));
    int shards =
        values.find(ConfigKey.REDIS_SHARDS).isPresent()
            ? number(values, ConfigKey.REDIS_SHARDS, 1, MillpondConfig.SHARDS_MAX)
            : Math.max(1, redisUrls.size());
    int slots =
        values.find(ConfigKey.WORKER_SLOTS).isPresent()
            ? number(values, ConfigKey.WORKER_SLOTS, 1, MillpondConfig.SLOTS_MAX)
            : MillpondConfig.defaultSlots();
    return new MillpondConfig(
        pgUrl,
        redisUrls,
        shards,
        slots,
        timing(values),
        limits(values),
        retention(values),
        webhooks(values),
        forked(values),
        guard(values),
        classes(values),
        watermarks(values));
  }

  private static Watermarks watermarks(ConfigValues values) {
    Mark jobs =
        mark(
            values,
            ConfigKey.QUEUE_HIGH_WATERMARK,
            ConfigKey.QUEUE_LOW_WATERMARK,
            (int) Watermarks.MOST);
    Mark mib =
        mark(
            values,
            ConfigKey.QUEUE_HIGH_WATERMARK_MIB,
            ConfigKey.QUEUE_LOW_WATERMARK_MIB,
            Watermarks.MIB_MOST);
    return new Watermarks(jobs, Mark.mib(mib.high(), mib.low()));
  }

  private static Mark mark(ConfigValues values, ConfigKey highKey, ConfigKey lowKey, int most) {
    if (values.get(highKey).equals("none")) {
      return Mark.NONE;
    }
    int high = number(values, highKey, 2, most);
    long low =
        values.find(lowKey).isPresent()
            ? number(values, lowKey, 1, high - 1)
            : Watermarks.lowOf(high);
    return new Mark(high, low);
  }

  private static PriorityClasses classes(ConfigValues values) {
    Map<String, Integer> weights = new LinkedHashMap<>();
    for (String item : list(values.get(ConfigKey.CLASSES))) {
      int equals = item.indexOf('=');
      String name = item.substring(0, Math.max(0, equals)).strip();
      int weight;
      try {
        weight = Integer.parseInt(item.substring(equals + 1).strip());
      } catch (NumberFormatException e) {
        throw values.refuse(ConfigKey.CLASSES, CLASSES_FORM);
      }
      if (weights.putIfAbsent(name, weight) != null) {
        throw values.refuse(ConfigKey.CLASSES, CLASSES_FORM + ", each class once");
      }
    }
    return new PriorityClasses(weights);
  }

  private static GuardConfig guard(ConfigValues values) {
    Map<String, Duration> visibility = new HashMap<>(GuardConfig.DEFAULT.visibility());
    for (String item : list(values.get(ConfigKey.WORKER_VISIBILITY))) {
      int equals = item.indexOf('=');
      Optional<Duration> time =
          equals < 1 ? Optional.empty() : DurationText.parse(item.substring(equals + 1).strip());
      visibility.put(
          item.substring(0, Math.max(0, equals)).strip(),
          time.orElseThrow(() ->
              values.refuse(
                  ConfigKey.WORKER_VISIBILITY,
                  "CLASS=DURATION, with commas; the duration " + DurationText.FORMS)));
    }
    return new GuardConfig(
        visibility,
        values.find(ConfigKey.WORKER_ABANDONED).isPresent()
            ? number(values, ConfigKey.WORKER_ABANDONED, 1, GuardConfig.ABANDONED_CEILING)
            : GuardConfig.DEFAULT.abandonedMax());
  }

  private static WebhookConfig webhooks(ConfigValues values) {
    AllowedTargets allow = AllowedTargets.and(list(values.get(ConfigKey.WEBHOOK_ALLOW)));
    return values
        .find(ConfigKey.WEBHOOK_SECRET_FILE)
        .map(text ->
            WebhookConfig.signedBy(path(values, ConfigKey.WEBHOOK_SECRET_FILE, text))
                .withAllow(allow))
        .orElse(WebhookConfig.NONE);
  }

  private static ForkedConfig forked(ConfigValues values) {
    int mib = ForkedConfig.MIB_MAX;
    ForkedConfig standard = ForkedConfig.DEFAULT;
    return new ForkedConfig(
        new ForkedConfig.Memory(
            number(values, ConfigKey.FORKED_HEAP, ForkedConfig.HEAP_MIB_LEAST, mib),
            number(values, ConfigKey.FORKED_METASPACE, ForkedConfig.METASPACE_MIB_LEAST, mib),
            number(values, ConfigKey.FORKED_DIRECT, ForkedConfig.DIRECT_MIB_LEAST, mib),
            number(
                values,
                ConfigKey.FORKED_CODE_CACHE,
                ForkedConfig.CODE_CACHE_MIB_LEAST,
                ForkedConfig.CODE_CACHE_MIB_MAX)),
        new ForkedConfig.Ceilings(
            number(values, ConfigKey.FORKED_RSS, 0, mib),
            number(
                values,
                ConfigKey.FORKED_THREADS,
                ForkedConfig.THREADS_LEAST,
                ForkedConfig.THREADS_MAX),
            number(
                values, ConfigKey.FORKED_FILES, ForkedConfig.FILES_LEAST, ForkedConfig.FILES_MAX)),
        new ForkedConfig.Life(
            number(values, ConfigKey.FORKED_WARM, 0, ForkedConfig.WARM_MAX),
            number(values, ConfigKey.FORKED_JOBS, 1, ForkedConfig.JOBS_MAX),
            duration(values, ConfigKey.FORKED_AGE, standard.life().age())),
        duration(values, ConfigKey.FORKED_GRACE, standard.grace()),
        duration(values, ConfigKey.FORKED_CANCEL_GRACE, standard.cancelGrace()),
        list(values.get(ConfigKey.FORKED_JAVA_OPTIONS)));
  }

  private static JobLimits limits(ConfigValues values) {
    return new JobLimits(
        number(values, ConfigKey.PAYLOAD_BYTES, JobLimits.BYTES_LEAST, JobLimits.PAYLOAD_BYTES_MAX),
        number(values, ConfigKey.RESULT_BYTES, JobLimits.BYTES_LEAST, JobLimits.RESULT_BYTES_MAX),
        number(values, ConfigKey.BATCH_JOBS, 1, JobLimits.BATCH_JOBS_MAX),
        duration(values, ConfigKey.IDEMPOTENCY_TTL, JobLimits.DEFAULT.keysLive()));
  }

  private static @Nullable TraceConfig traces(ConfigValues values) {
    double ratio;
    try {
      ratio = Double.parseDouble(values.get(ConfigKey.TRACE_RATIO));
    } catch (NumberFormatException e) {
      ratio = -1;
    }
    if (!(ratio >= 0 && ratio <= 1)) {
      throw values.refuse(ConfigKey.TRACE_RATIO, "0 to 1");
    }
    Optional<String> url = values.find(ConfigKey.TRACE_OTLP_URL);
    if (url.isEmpty()) {
      return null;
    }
    try {
      URI collector = URI.create(url.get());
      if (collector.getHost() != null
          && ("http".equals(collector.getScheme()) || "https".equals(collector.getScheme()))) {
        return new TraceConfig(collector, ratio);
      }
    } catch (IllegalArgumentException e) {
      // refused below, like one of another scheme
    }
    throw values.refuse(ConfigKey.TRACE_OTLP_URL, "http://host:port or https://host:port");
  }

  /** The form of a line of the log. */
  public static String logFormat(ConfigValues values) {
    String format = values.get(ConfigKey.LOG_FORMAT).toLowerCase(Locale.ROOT);
    if (!LOG_FORMATS.contains(format)) {
      throw values.refuse(ConfigKey.LOG_FORMAT, "text, json");
    }
    return format;
  }

  /** The least level logged. */
  public static String logLevel(ConfigValues values) {
    String level = values.get(ConfigKey.LOG_LEVEL).toLowerCase(Locale.ROOT);
    if (!LOG_LEVELS.contains(level)) {
      throw values.refuse(ConfigKey.LOG_LEVEL, "error, warn, info, debug, trace");
    }
    return level;
  }

  private static Timing timing(ConfigValues values) {
    Timing profile =
        switch (values.get(ConfigKey.TIMING)) {
          case "default" -> Timing.DEFAULT;
          case "fast" -> Timing.FAST;
          default -> throw values.refuse(ConfigKey.TIMING, "default, fast");
        };
    return new Timing(
        duration(values, ConfigKey.TIMING_LEASE, profile.lease()),
        duration(values, ConfigKey.TIMING_BEAT, profile.beat()),
        duration(values, ConfigKey.TIMING_SETTLE, profile.settle()),
        duration(values, ConfigKey.TIMING_SCAN, profile.scan()));
  }

  private static RetentionConfig retention(ConfigValues values) {
    RetentionConfig standard = RetentionConfig.DEFAULT;
    return new RetentionConfig(
        duration(values, ConfigKey.RETENTION_SUCCEEDED, standard.succeeded()),
        duration(values, ConfigKey.RETENTION_CANCELLED, standard.cancelled()),
        values.find(ConfigKey.RETENTION_DEAD).isPresent()
            ? duration(values, ConfigKey.RETENTION_DEAD, RetentionConfig.MOST)
            : standard.dead(),
        duration(values, ConfigKey.AUDIT_RETENTION, standard.audit()));
  }

  private static Duration drainTimeout(ConfigValues values) {
    Duration timeout = duration(values, ConfigKey.DRAIN_TIMEOUT, Duration.ZERO);
    if (timeout.isNegative() || timeout.compareTo(DRAIN_MOST) > 0) {
      throw values.refuse(ConfigKey.DRAIN_TIMEOUT, "0s to " + DRAIN_MOST);
    }
    return timeout;
  }

  private static @Nullable Duration booksEvery(ConfigValues values) {
    if (values.find(ConfigKey.BOOKS_EVERY).isEmpty()) {
      return null;
    }
    Duration every = duration(values, ConfigKey.BOOKS_EVERY, BOOKS_EVERY_MOST);
    if (every.compareTo(BOOKS_EVERY_LEAST) < 0 || every.compareTo(BOOKS_EVERY_MOST) > 0) {
      throw values.refuse(ConfigKey.BOOKS_EVERY, BOOKS_EVERY_LEAST + " to " + BOOKS_EVERY_MOST);
    }
    return every;
  }

  private static Set<Role> roles(ConfigValues values) {
    Set<Role> roles = EnumSet.noneOf(Role.class);
    for (String name : list(values.get(ConfigKey.ROLE))) {
      if (name.equals("all")) {
        roles.addAll(EnumSet.allOf(Role.class));
      } else {
        roles.add(
            Arrays.stream(Role.values())
                .filter(role -> role.wireName().equals(name))
                .findFirst()
                .orElseThrow(() -> values.refuse(ConfigKey.ROLE, "all, api, worker, maintenance")));
      }
    }
    if (roles.isEmpty()) {
      throw values.refuse(ConfigKey.ROLE, "all, api, worker, maintenance");
    }
    return roles;
  }

  private static InetAddress bind(ConfigValues values, AccessConfig access) {
    InetAddress address;
    try {
      address = InetAddress.getByName(values.get(ConfigKey.HTTP_BIND));
    } catch (UnknownHostException e) {
      throw values.refuse(
          ConfigKey.HTTP_BIND,
          "an address of this machine; without keys 127.0.0.1, ::1 or localhost");
    }
    if (!access.keys() && !address.isLoopbackAddress()) {
      throw values.refuse(
          ConfigKey.HTTP_BIND,
          "a loopback address (127.0.0.1, ::1, localhost), because callers are not known;"
              + " with millpond.auth.mode=keys any address");
    }
    return address;
  }

  private static Duration duration(ConfigValues values, ConfigKey key, Duration standard) {
    return values
        .find(key)
        .map(text ->
            DurationText.parse(text).orElseThrow(() -> values.refuse(key, DurationText.FORMS)))
        .orElse(standard);
  }

  private static int number(ConfigValues values, ConfigKey key, int least, int most) {
    try {
      int number = Integer.parseInt(values.get(key));
      if (number >= least && number <= most) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Refused below, like a number out of range.
    }
    throw values.refuse(key, least + " to " + most);
  }

  private static Path path(ConfigValues values, ConfigKey key, String text) {
    try {
      return Path.of(text);
    } catch (InvalidPathException e) {
      throw values.refuse(key, "a path");
    }
  }

  private static List<String> list(String text) {
    return Arrays.stream(text.split(",", -1)).map(String::strip).filter(s -> !s.isEmpty()).toList();
  }
}
