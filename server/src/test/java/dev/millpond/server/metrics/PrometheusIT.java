package dev.millpond.server.metrics;

import static dev.millpond.server.support.LiveServer.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.api.Backoff;
import dev.millpond.api.HandlerOptions;
import dev.millpond.embedded.TestRedis;
import dev.millpond.embedded.TestServers;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.metrics.Metric;
import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.metrics.Dashboard.Query;
import dev.millpond.server.support.LiveServer;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/**
 * A real Prometheus, with the configuration and rules that are shipped, scrapes a server under load
 * on real PostgreSQL and Redis: every panel's query gives something, every rule can be evaluated,
 * and the values are those that the API and PostgreSQL say. Without the programs it is skipped,
 * except in CI.
 */
@Order(1) // takes long: begins first
class PrometheusIT {
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final Pattern TYPE = Pattern.compile("(?m)^# TYPE (millpond_\\w+) (\\w+)$");
  private static final Pattern LABEL = Pattern.compile("(\\w+)=\"");
  private static final int SCHEDULED = 7;
  private static final int PARKED = 25;
  private static final int REFUSED_FROM = 40;

  @TempDir private static Path directory;

  private static TestRedis redis;
  private static LiveServer live;
  private static Prometheus prometheus;
  private static ExecutorService producer;
  private static Future<?> load;

  @BeforeAll
  static void start() throws Exception {
    Assumptions.assumeTrue(
        Prometheus.installed() || "true".equals(System.getenv("CI")),
        "the Debian package prometheus");
    assertThat(Prometheus.installed()).as("prometheus and promtool on the PATH").isTrue();
    redis = TestServers.get().redis();
    live =
        LiveServer.start(
            directory.resolve("server"),
            Map.of(
                ConfigKey.ROLE, "api,maintenance",
                ConfigKey.REDIS_URLS, redis.url(),
                ConfigKey.TIMING_LEASE, "15s", // a worker that is fenced would run jobs twice
                ConfigKey.BOOKS_EVERY, "2s",
                ConfigKey.QUEUE_HIGH_WATERMARK, "100000"));
    Millpond millpond = live.server().millpond();
    millpond.registerHandler("mail", String.class, (context, text) -> text.length());
    millpond.registerHandler(
        "doomed",
        String.class,
        (context, text) -> {
          throw new IllegalStateException("no " + text);
        },
        HandlerOptions.DEFAULT.withBackoff(
            new Backoff(Duration.ofMillis(1), Duration.ofMillis(2))));
    millpond.startWorker();
    prometheus = Prometheus.start(directory.resolve("prometheus"), live.uri("/"));
    submit(job("parked", "nobodys", "normal"), PARKED);
    submit(job("later", "mail", "normal").replace("}", ",\"delay\":\"PT1H\"}"), SCHEDULED);
    fillSmallQueue();
    limitAndPause();
    producer = Executors.newSingleThreadExecutor();
    load = producer.submit(PrometheusIT::load);
  }

  private static String job(String queue, String kind, String priorityClass) {
    return "{\"kind\":\"%s\",\"queue\":\"%s\",\"priorityClass\":\"%s\",\"payload\":\"text\",\"maxAttempts\":2}"
        .formatted(kind, queue, priorityClass);
  }

  private static void submit(String job, int copies) throws IOException, InterruptedException {
    HttpResponse<String> answer = post(job, copies);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
  }

  private static HttpResponse<String> post(String job, int copies)
      throws IOException, InterruptedException {
    List<String> jobs = new ArrayList<>();
    for (int i = 0; i < copies; i++) {
      jobs.add(job);
    }
    return live.post("/v1/jobs/batch", "[" + String.join(",", jobs) + "]");
  }

  /** One whose gate is closed from then on. */
  private static void fillSmallQueue() throws IOException, InterruptedException {
    submit(job("small", "nobodys", "normal"), 1);
    assertThat(
            live.send(
                    HttpRequest.newBuilder(live.uri("/v1/queues/small"))
                        .header("Content-Type", "application/json")
                        .method(
                            "PATCH",
                            BodyPublishers.ofString(
                                "{\"highWatermark\":%d}".formatted(REFUSED_FROM))))
                .statusCode())
        .isEqualTo(200);
    submit(job("small", "nobodys", "normal"), REFUSED_FROM);
    await("the gate is closed")
        .atMost(PATIENCE)
        .until(() -> live.post("/v1/jobs", job("small", "nobodys", "normal")).statusCode() == 503);
  }

  /** Of a queue and a tag that no job has: there is something to show. */
  private static void limitAndPause() throws IOException, InterruptedException {
    HttpResponse<String> limited =
        live.send(
            HttpRequest.newBuilder(live.uri("/v1/queues/limited/limits"))
                .header("Content-Type", "application/json")
                .PUT(
                    BodyPublishers.ofString(
                        "{\"concurrency\":3,\"rate\":{\"permits\":5,\"per\":\"PT1S\",\"burst\":5}}")));
    assertThat(limited.statusCode()).as(limited.body()).isEqualTo(200);
    HttpResponse<String> paused = live.post("/v1/tags/holiday/pause", "{\"reason\":\"a test\"}");
    assertThat(paused.statusCode()).as(paused.body()).isEqualTo(200);
  }

  /** Until it is interrupted, some hundred jobs a second of all classes; whatever is answered. */
  private static Void load() throws IOException {
    try {
      while (!Thread.currentThread().isInterrupted()) {
        post(job("post", "mail", "normal"), 10);
        post(job("post", "mail", "high"), 10);
        post(job("post", "mail", "critical"), 10);
        post(job("bin", "doomed", "normal"), 1);
        Thread.sleep(100); // the pace of the load
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return null;
  }

  @AfterAll
  static void stop() throws IOException {
    if (prometheus != null) {
      prometheus.close();
    }
    if (producer != null) {
      producer.shutdownNow();
      producer.close();
    }
    if (live != null) {
      live.close();
      redis.close();
    }
  }

  @Test
  void promtoolFindsNothingWrongAndEveryAlertFiresWhenItShould() throws Exception {
    Prometheus.promtool("check", "config", "prometheus.yml");
    Prometheus.promtool("test", "rules", "tests/alerts_test.yml");
  }

  @Test
  void everyPanelShowsSomethingAndTheValuesAreThoseOfTheApiAndOfPostgres() throws Exception {
    List<Query> missing = new ArrayList<>();
    for (Dashboard dashboard : Dashboard.all()) {
      missing.addAll(dashboard.queries());
    }
    assertThat(missing).hasSizeGreaterThan(100);
    await("queries that give nothing")
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(500))
        .untilAsserted(() -> {
          List<Query> still = new ArrayList<>();
          for (Query query : missing) {
            if (prometheus.query(query.expression()).isEmpty()) {
              still.add(query);
            }
          }
          missing.retainAll(still);
          assertThat(missing).isEmpty();
          assertThat(load.isDone()).as("the load goes on").isFalse();
        });
    for (Dashboard dashboard : Dashboard.all()) {
      for (Query query : dashboard.annotations()) {
        prometheus.query(query.expression());
      }
    }
    for (JsonNode rule : prometheus.rules()) {
      assertThat(rule.get("health").asString()).as("%s", rule).isEqualTo("ok");
    }
    theMetricsAreThoseOfTheReference();
    load.cancel(true);
    producer.shutdownNow();
    producer.close();
    theValuesAreThoseOfTheApiAndOfPostgres();
  }

  /** Name, type and labels of each, and no other. */
  private static void theMetricsAreThoseOfTheReference() throws Exception {
    String text = live.get("/metrics").body();
    Map<String, Metric> declared = new HashMap<>();
    MetricsReferenceTest.all().forEach(metric -> declared.put(metric.exposed(), metric));
    Set<String> seen = new TreeSet<>();
    Matcher type = TYPE.matcher(text);
    while (type.find()) {
      String name = type.group(1);
      Metric metric = declared.get(name);
      if (metric == null && name.endsWith("_max")) {
        continue; // of a distribution
      }
      assertThat(metric).as("%s is declared", name).isNotNull();
      assertThat(type.group(2)).as(name).isEqualTo(metric.exposedType());
      seen.add(name);
      text.lines()
          .filter(line -> line.matches(name + "(_bucket|_count|_sum)?[{ ].*"))
          .forEach(
              line -> assertThat(labels(line)).as(line).isEqualTo(Set.copyOf(metric.labels())));
    }
    assertThat(seen).isEqualTo(new TreeSet<>(declared.keySet()));
  }

  private static Set<String> labels(String line) {
    Set<String> labels = new TreeSet<>();
    Matcher label = LABEL.matcher(line);
    while (label.find()) {
      labels.add(label.group(1));
    }
    labels.remove("le");
    return labels;
  }

  private static void theValuesAreThoseOfTheApiAndOfPostgres() throws Exception {
    await("all that can run has ended")
        .atMost(PATIENCE)
        .until(() ->
            queue("post").get("depth").asLong() == 0
                && queue("bin").get("depth").asLong() == 0
                && queue("bin").get("scheduled").asLong() == 0);
    agrees("sum(millpond_jobs_submitted_total)", number("SELECT count(*) FROM millpond.job"));
    agrees(
        "sum(millpond_jobs_completed_total)",
        number("SELECT count(*) FROM millpond.job_outcome WHERE outcome = 'succeeded'"));
    long dead = number("SELECT count(*) FROM millpond.dead_letter");
    assertThat(dead).isPositive();
    agrees("sum(millpond_jobs_dead_total)", dead);
    agrees("sum(millpond_jobs_retried_total)", dead);
    agrees("sum(millpond_jobs_failed_total)", 2 * dead);
    agrees("sum(millpond_job_run_seconds_count{kind=\"doomed\"})", 2 * dead);
    agrees("sum(millpond_jobs_refused_total{queue=\"small\"})", 1);
    for (String name : List.of("post", "bin", "parked", "later", "small")) {
      JsonNode queue = queue(name);
      String of = "{queue=\"%s\",state=\"%%s\"})".formatted(name);
      String sum = "sum(millpond_queue_depth" + of;
      agrees(sum.formatted("runnable"), queue.get("depth").asLong());
      agrees(sum.formatted("scheduled"), queue.get("scheduled").asLong());
      agrees(sum.formatted("dead"), queue.get("dead").asLong());
      agrees(
          "sum(millpond_gate_closed{queue=\"%s\"})".formatted(name),
          queue.get("gate").asString().equals("closed") ? 1 : 0);
      agrees(
          "sum(millpond_queue_watermark{queue=\"%s\",mark=\"high\"})".formatted(name),
          queue.get("highWatermark").asLong());
    }
    assertThat(queue("parked").get("depth").asLong()).isEqualTo(PARKED);
    assertThat(queue("later").get("scheduled").asLong()).isEqualTo(SCHEDULED);
    assertThat(queue("small").get("gate").asString()).isEqualTo("closed");
    agrees("sum(millpond_limit_concurrency{name=\"limited\"})", 3);
    agrees("sum(millpond_limit_running{name=\"limited\"})", 0);
    agrees("sum(millpond_paused{scope=\"tag\",name=\"holiday\"})", 1);
    agrees("sum(millpond_kind_workers{kind=\"nobodys\"})", 0);
    agrees("sum(millpond_kind_workers{kind=\"mail\"})", 1);
    agrees(
        "sum(millpond_workers{state=\"active\"})",
        json(live.get("/v1/workers")).get("items").size());
    agrees("count(ALERTS{alertname=\"MillpondKindWithoutWorker\",kind=\"nobodys\"})", 1);
  }

  private static JsonNode queue(String name) throws IOException, InterruptedException {
    return json(live.get("/v1/queues/" + name));
  }

  /** What was sampled or scraped may be some seconds old. */
  private static void agrees(String expression, long value) {
    await()
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(200))
        .untilAsserted(
            () -> assertThat(prometheus.value(expression)).as(expression).hasValue((double) value));
  }

  private static long number(String sql) throws SQLException {
    try (Connection connection = DriverManager.getConnection(live.engine().pgUrl());
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getLong(1);
    }
  }
}
