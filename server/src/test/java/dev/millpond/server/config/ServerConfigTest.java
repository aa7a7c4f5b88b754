package dev.millpond.server.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import dev.millpond.engine.ConfigException;
import dev.millpond.engine.JobLimits;
import dev.millpond.engine.RetentionConfig;
import dev.millpond.engine.Timing;
import dev.millpond.engine.dispatch.PriorityClasses;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ServerConfigTest {

  @Test
  void theDefaultsNeedOnlyPostgres() {
    ServerConfig config = config(Map.of());
    assertThat(config.roles()).containsExactlyInAnyOrder(Role.values());
    assertThat(config.port()).isEqualTo(8080);
    assertThat(config.bind().isLoopbackAddress()).isTrue();
    assertThat(config.engine().redisUrls()).isEmpty();
    assertThat(config.engine().shards()).isEqualTo(1);
    assertThat(config.engine().timing()).isEqualTo(Timing.DEFAULT);
    assertThat(config.drainTimeout()).isEqualTo(Duration.ofSeconds(30));
    assertThat(config.runFile()).isEqualTo(Path.of(".millpond", "run.json"));
  }

  @Test
  void listsAreReadFromCommas() {
    ServerConfig config =
        config(
            Map.of(
                ConfigKey.ROLE, "worker, maintenance",
                ConfigKey.REDIS_URLS, "redis://a:1,redis://b:2",
                ConfigKey.HANDLERS, "a.jar,b.jar"));
    assertThat(config.roles()).containsExactlyInAnyOrder(Role.WORKER, Role.MAINTENANCE);
    assertThat(config.engine().redisUrls()).containsExactly("redis://a:1", "redis://b:2");
    assertThat(config.engine().shards()).isEqualTo(2);
    assertThat(config.handlers()).containsExactly(Path.of("a.jar"), Path.of("b.jar"));
  }

  @Test
  void aTimeOfItsOwnGoesOverTheProfile() {
    Timing timing =
        config(Map.of(ConfigKey.TIMING, "fast", ConfigKey.TIMING_SCAN, "100ms")).engine().timing();
    assertThat(timing.lease()).isEqualTo(Timing.FAST.lease());
    assertThat(timing.scan()).isEqualTo(Duration.ofMillis(100));
  }

  @Test
  void webhooksNeedASecretFile(@TempDir Path folder) throws IOException {
    assertThat(config(Map.of()).engine().webhooks().enabled()).isFalse();
    Path file = Files.writeString(folder.resolve("s"), "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    assertThat(
            config(
                    Map.of(
                        ConfigKey.WEBHOOK_SECRET_FILE,
                        file.toString(),
                        ConfigKey.WEBHOOK_ALLOW,
                        "10.0.0.0/8, hooks.internal"))
                .engine()
                .webhooks()
                .enabled())
        .isTrue();
    assertThat(ConfigKey.WEBHOOK_SECRET_FILE.env()).isEqualTo("MILLPOND_WEBHOOK_SECRET_FILE");
    assertThat(ConfigKey.WEBHOOK_SECRET_FILE.flag()).isEqualTo("--webhook-secret-file");
    assertThatThrownBy(() -> config(Map.of(ConfigKey.WEBHOOK_SECRET_FILE, folder + "/none")))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("millpond.webhook.secret-file");
    assertThatThrownBy(() -> config(Map.of(ConfigKey.WEBHOOK_ALLOW, "10.0.0.0/99")))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("millpond.webhook.allow");
  }

  @Test
  void limitsAreTheDefaultsUnlessConfigured() {
    assertThat(config(Map.of()).engine().limits()).isEqualTo(JobLimits.DEFAULT);
    assertThat(config(Map.of()).bodies())
        .isEqualTo(new BodyLimits(16 << 20, 64 << 20, Duration.ofSeconds(30)));
    ServerConfig config =
        config(
            Map.of(
                ConfigKey.PAYLOAD_BYTES, "2048",
                ConfigKey.HTTP_BODY_BYTES, "4096",
                ConfigKey.IDEMPOTENCY_TTL, "7d"));
    assertThat(config.engine().limits())
        .isEqualTo(
            JobLimits.DEFAULT
                .withBytes(2048, JobLimits.DEFAULT.resultBytes())
                .withKeysLive(Duration.ofDays(7)));
    assertThat(config.bodies().json()).isEqualTo(4096);
  }

  @Test
  void endedJobsAreKeptForAWeekAndDeadLettersForGoodUnlessConfigured() {
    assertThat(config(Map.of()).engine().retention()).isEqualTo(RetentionConfig.DEFAULT);
    Map<ConfigKey, String> given =
        Map.of(ConfigKey.RETENTION_SUCCEEDED, "1d", ConfigKey.RETENTION_DEAD, "90d");
    assertThat(config(given).engine().retention())
        .isEqualTo(
            new RetentionConfig(
                Duration.ofDays(1), Duration.ofDays(7), Duration.ofDays(90), Duration.ofDays(90)));
  }

  @Test
  void priorityClassesAreReadInTheirOrder() {
    assertThat(config(Map.of()).engine().classes()).isEqualTo(PriorityClasses.DEFAULT);
    assertThat(
            config(Map.of(ConfigKey.CLASSES, "urgent = 9, normal=3,bulk=1"))
                .engine()
                .classes()
                .weights())
        .containsExactly(entry("urgent", 9), entry("normal", 3), entry("bulk", 1));
  }

  @Test
  void thePostgresUrlIsNeeded() {
    assertThatThrownBy(() -> ServerConfig.of(ConfigValues.load(Map.of(), Map.of(), null)))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("millpond.pg.url")
        .hasMessageContaining("--pg-url")
        .hasMessageContaining("MILLPOND_PG_URL");
  }

  @ParameterizedTest
  @CsvSource({
    "HTTP_PORT, 65536, 0 to 65535",
    "HTTP_PORT, http, 0 to 65535",
    "HTTP_BIND, 0.0.0.0, a loopback address",
    "HTTP_BIND, 192.0.2.1, a loopback address",
    "ROLE, boss, 'all, api, worker, maintenance'",
    "ROLE, ',', 'all, api, worker, maintenance'",
    "WORKER_SLOTS, 0, 1 to 10000",
    "REDIS_SHARDS, 65, 1 to 64",
    "TIMING, slow, 'default, fast'",
    "TIMING_LEASE, 5, a duration",
    "TIMING_LEASE, 1ms, PT1S to PT10M",
    "DRAIN_TIMEOUT, 2h, 0s to PT1H",
    "PAYLOAD_BYTES, 100, 1024 to 4194304",
    "RESULT_BYTES, 2000000, 1024 to 1048576",
    "BATCH_JOBS, 0, 1 to 10000",
    "BATCH_JOBS, 10001, 1 to 10000",
    "IDEMPOTENCY_TTL, 59s, PT1M to PT720H",
    "IDEMPOTENCY_TTL, 31d, PT1M to PT720H",
    "RETENTION_SUCCEEDED, 59m, PT1H to PT87600H",
    "RETENTION_CANCELLED, 23h, 'at least millpond.idempotency.ttl, which is PT24H'",
    "RETENTION_DEAD, 4000d, PT1H to PT87600H",
    "RETENTION_DEAD, soon, a duration",
    "HTTP_BODY_BYTES, 200000, 262144 to 67108864",
    "HTTP_NDJSON_BYTES, 16777215, 16777216 to 268435456",
    "HTTP_TIMEOUT, 999ms, PT1S to PT10M",
    "AUTH_MODE, oidc, 'none, keys'",
    "METRICS_OPEN, yes, 'true, false'",
    "AUDIT_RETENTION, 5m, PT1H",
    "LOG_LEVEL, loud, error",
    "CLASSES, 'critical=60,high', CLASS=WEIGHT with commas",
    "CLASSES, 'normal=10,high=many', CLASS=WEIGHT with commas",
    "CLASSES, 'normal=10,normal=20', each class once",
    "CLASSES, 'normal=10,high=0', weights of 1 to 10000",
    "CLASSES, 'normal=10,high=10001', weights of 1 to 10000",
    "CLASSES, 'normal=10,=5', names of the form",
    "CLASSES, 'normal=10,Big=5', names of the form",
    "CLASSES, 'critical=60,high=30', normal among them",
    "CLASSES, ',', 1 to 16 classes",
    "PG_URL, postgres://x, jdbc:postgresql:",
    "REDIS_URLS, http://x, redis://",
  })
  void aValueOutOfRangeIsRefusedWithItsKeyValueAndRange(
      ConfigKey key, String value, String allowed) {
    assertThatThrownBy(() -> config(Map.of(key, value)))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining(key == ConfigKey.TIMING_LEASE ? "millpond.timing.lease" : key.key())
        .hasMessageContaining(allowed);
  }

  @Test
  void handlersNeedTheWorkerRole() {
    assertThatThrownBy(() -> config(Map.of(ConfigKey.ROLE, "api", ConfigKey.HANDLERS, "a.jar")))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("millpond.handlers");
  }

  @ParameterizedTest
  @CsvSource({"30s, PT30S", "500ms, PT0.5S", "5m, PT5M", "2h, PT2H", "1d, P1D", "PT1M30S, PT1M30S"})
  void durationsHaveAShortAndALongForm(String text, Duration duration) {
    assertThat(DurationText.parse(text)).contains(duration);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "30", "s", "-5s", "1.5s", "99999999999999999999s", "forever"})
  void otherTextIsNoDuration(String text) {
    assertThat(DurationText.parse(text)).isEmpty();
  }

  private static ServerConfig config(Map<ConfigKey, String> flags) {
    Map<ConfigKey, String> all = new EnumMap<>(ConfigKey.class);
    all.put(ConfigKey.PG_URL, "jdbc:postgresql://localhost/millpond");
    all.putAll(flags);
    return ServerConfig.of(ConfigValues.load(all, Map.of(), null));
  }
}
