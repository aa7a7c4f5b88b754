package dev.millpond.server.http.access;

import static dev.millpond.server.support.LiveServer.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.api.FatalJobException;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.access.Scope;
import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.support.KeyHolder;
import dev.millpond.server.support.LiveServer;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Keys over HTTP: what is open, what each scope may do, and what a bound key sees. */
@TestInstance(Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class KeysHttpIT {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private LiveServer live;
  private LiveServer other;
  private KeyHolder admin;

  @BeforeAll
  void start(@TempDir Path directory) {
    String pgUrl = LiveServer.migratedDatabase();
    admin = KeyHolder.in(pgUrl, "root", Scope.ADMIN);
    Map<ConfigKey, String> flags =
        Map.of(
            ConfigKey.AUTH_MODE, "keys",
            ConfigKey.PG_URL, pgUrl,
            ConfigKey.HTTP_BIND, "0.0.0.0",
            ConfigKey.ROLE, "api,maintenance");
    live = LiveServer.start(directory.resolve("one"), flags);
    other = LiveServer.start(directory.resolve("other"), flags);
  }

  @AfterAll
  void stop() {
    other.close();
    live.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/v1/jobs",
        "/v1/jobs/00000000-0000-7000-8000-000000000000",
        "/v1/queues",
        "/v1/keys",
        "/v1/%6Beys",
        "/v1/audit",
        "/v1/dead-letters/count",
        "/v1/workers",
        "/v1/pauses",
        "/v1/session",
        "/metrics"
      })
  void withoutAKeyNothingIsShown(String path) throws Exception {
    HttpResponse<String> refused = live.get(path);
    assertThat(refused.statusCode()).as(refused::body).isEqualTo(401);
    assertThat(refused.headers().firstValue("WWW-Authenticate")).hasValue("Bearer");
    assertThat(json(refused).get("type").asString()).isEqualTo("/problems/key-missing");
    assertThat(json(refused).get("remedy").asString()).isNotEmpty();
  }

  @Test
  void withoutAKeyNothingIsSubmitted() throws Exception {
    assertThat(live.post("/v1/jobs", "{\"kind\":\"a\"}").statusCode()).isEqualTo(401);
    assertThat(live.post("/v1/jobs/batch", "[{\"kind\":\"a\"}]").statusCode()).isEqualTo(401);
    assertThat(live.post("/v1/%6Aobs", "{\"kind\":\"a\"}").statusCode()).isEqualTo(401);
    assertThat(live.get("/health/live").statusCode()).isEqualTo(200);
    HttpResponse<String> ready = live.get("/health/ready");
    assertThat(ready.statusCode()).isEqualTo(200);
    assertThat(ready.body()).contains("\"postgres\"").doesNotContain("detail");
    assertThat(admin.get(live, "/health/ready").body()).contains("\"detail\":\"answers\"");
  }

  @Test
  void eachScopeMayDoWhatItIsFor() throws Exception {
    KeyHolder submits = KeyHolder.of(live, admin, "shop", Scope.SUBMIT);
    KeyHolder reads = KeyHolder.of(live, admin, "prometheus", Scope.READ);
    KeyHolder operates = KeyHolder.of(live, admin, "on-call", Scope.OPERATE);
    String job = "{\"kind\":\"a\",\"delay\":\"P1D\"}";

    HttpResponse<String> accepted = submits.post(live, "/v1/jobs", job);

    assertThat(accepted.statusCode()).as(accepted::body).isEqualTo(202);
    String path = "/v1/jobs/" + json(accepted).get("id").asString();
    expect(submits.get(live, path), 403, "scope-missing");
    expect(submits.get(live, "/metrics"), 403, "scope-missing");
    assertThat(reads.get(live, path).statusCode()).isEqualTo(200);
    assertThat(reads.get(live, "/metrics").body()).contains("millpond_");
    expect(reads.post(live, "/v1/jobs", job), 403, "scope-missing");
    expect(reads.post(live, path + "/cancel"), 403, "scope-missing");
    expect(operates.post(live, "/v1/jobs/batch", "[" + job + "]"), 403, "scope-missing");
    expect(operates.get(live, "/v1/keys"), 403, "scope-missing");
    expect(operates.get(live, "/v1/audit"), 403, "scope-missing");
    assertThat(operates.get(live, path).statusCode()).isEqualTo(200);
    assertThat(operates.post(live, path + "/cancel").statusCode()).isEqualTo(200);
    assertThat(admin.post(live, "/v1/jobs", job).statusCode()).isEqualTo(202);
  }

  @Test
  void aKeyThatIsRevokedEndsInTheWholeFleet() throws Exception {
    KeyHolder shop = KeyHolder.of(live, admin, "short-lived", Scope.READ);
    await()
        .atMost(PATIENCE)
        .until(() -> shop.get(other, "/v1/queues").statusCode() == 200); // not known at once

    HttpResponse<String> revoked = admin.delete(live, "/v1/keys/" + shop.prefix());

    assertThat(json(revoked).get("revokedAt").asString()).as(revoked::body).isNotEmpty();
    expect(shop.get(live, "/v1/queues"), 401, "key-ended");
    await().atMost(PATIENCE).until(() -> shop.get(other, "/v1/queues").statusCode() == 401);
    assertThat(admin.get(live, "/v1/keys").body()).contains(shop.prefix());
    expect(admin.delete(live, "/v1/keys/abcdefgh"), 404, "key-not-found");
  }

  @Test
  void anExpiredKeyIsRefusedAndSoIsAnotherSecret() throws Exception {
    KeyHolder shop = KeyHolder.of(live, admin, "expiring", Scope.READ);
    sql(
        "UPDATE millpond.api_key SET expires_at = now() - interval '1 minute' WHERE prefix = '"
            + shop.prefix()
            + "'",
        "UPDATE millpond.access_version SET version = version + 1");
    await().atMost(PATIENCE).until(() -> shop.get(live, "/v1/queues").statusCode() == 401);
    expect(shop.get(live, "/v1/queues"), 401, "key-ended");

    String wrong = "mp_" + admin.prefix() + "_" + "0".repeat(64);
    HttpResponse<String> refused =
        live.send(
            HttpRequest.newBuilder(live.uri("/v1/queues"))
                .header("Authorization", "Bearer " + wrong));

    expect(refused, 401, "key-unknown");
    assertThat(refused.body()).doesNotContain("0000");
  }

  @Test
  void aBoundKeySeesItsQueuesOnly() throws Exception {
    KeyHolder bound = KeyHolder.of(live, admin, "mailer", Scope.OPERATE, "mail", "sms");
    KeyHolder sends = KeyHolder.of(live, admin, "mailer", Scope.SUBMIT, "mail");
    String mine = submit(sends, "mail");
    String foreign = submit(admin, "bills");

    expect(sends.post(live, "/v1/jobs", "{\"kind\":\"a\"}"), 404, "queue-not-found");
    HttpResponse<String> batch =
        sends.post(
            live, "/v1/jobs/batch", "[{\"kind\":\"a\",\"queue\":\"mail\"},{\"kind\":\"a\"}]");
    expect(batch, 404, "queue-not-found");
    assertThat(json(batch).get("index").asInt()).isEqualTo(1);

    assertThat(bound.get(live, "/v1/jobs/" + mine).statusCode()).isEqualTo(200);
    for (String path : List.of("", "/log", "/why")) {
      expect(bound.get(live, "/v1/jobs/" + foreign + path), 404, "job-not-found");
    }
    expect(bound.post(live, "/v1/jobs/" + foreign + "/cancel"), 404, "job-not-found");
    expect(bound.post(live, "/v1/jobs/" + foreign + "/run-now"), 404, "job-not-found");
    assertThat(ids(bound.get(live, "/v1/jobs"))).containsExactly(mine);
    assertThat(ids(bound.get(live, "/v1/jobs?state=scheduled&fields=full"))).containsExactly(mine);
    assertThat(ids(bound.get(live, "/v1/jobs?queue=bills"))).isEmpty();
    assertThat(bound.get(live, "/v1/queues").body()).contains("mail").doesNotContain("bills");
    expect(bound.get(live, "/v1/queues/bills"), 404, "queue-not-found");
    expect(bound.get(live, "/v1/queues/bills/weights"), 404, "queue-not-found");
    expect(bound.get(live, "/v1/queues/bills/limits"), 404, "queue-not-found");
    expect(bound.post(live, "/v1/queues/bills/pause"), 404, "queue-not-found");
    expect(bound.post(live, "/v1/kinds/a/pause"), 403, "bound-to-queues");
    expect(bound.get(live, "/v1/kinds/a/limits"), 403, "bound-to-queues");
    expect(bound.get(live, "/metrics"), 403, "bound-to-queues");
    expect(bound.post(live, "/v1/workers/" + foreign + "/drain"), 403, "bound-to-queues");
    admin.post(live, "/v1/queues/bills/pause");
    bound.post(live, "/v1/queues/mail/pause");
    assertThat(bound.get(live, "/v1/pauses").body()).contains("mail").doesNotContain("bills");
    HttpResponse<String> wide =
        admin.post(
            live, "/v1/keys", "{\"name\":\"x\",\"scopes\":[\"admin\"],\"queues\":[\"mail\"]}");
    assertThat(wide.statusCode()).isEqualTo(422);
  }

  @Test
  void aBoundKeySeesItsDeadLettersOnly() throws Exception {
    KeyHolder bound = KeyHolder.of(live, admin, "undertaker", Scope.OPERATE, "north");
    String mine;
    String foreign;
    try (Millpond worker = Millpond.connect(live.engine())) {
      worker.registerHandler(
          "doomed",
          String.class,
          (context, payload) -> {
            throw new FatalJobException("no good");
          });
      worker.startWorker();
      mine = dead("north");
      foreign = dead("south");
    }
    assertThat(bound.get(live, "/v1/dead-letters").body()).contains(mine).doesNotContain(foreign);
    assertThat(ids(bound.get(live, "/v1/jobs?state=dead"))).containsExactly(mine);
    assertThat(ids(bound.get(live, "/v1/jobs?error=good"))).containsExactly(mine);
    assertThat(json(bound.get(live, "/v1/dead-letters/count")).get("count").asInt()).isEqualTo(1);
    expect(bound.get(live, "/v1/dead-letters/" + foreign), 404, "dead-letter-not-found");
    expect(bound.post(live, "/v1/dead-letters/" + foreign + "/redrive"), 404, "job-not-found");

    HttpResponse<String> all = bound.post(live, "/v1/dead-letters/redrive");

    assertThat(json(all).get("redriven").asInt()).as(all::body).isEqualTo(1);
    assertThat(admin.get(live, "/v1/dead-letters/" + foreign).statusCode()).isEqualTo(200);
    assertThat(admin.get(live, "/v1/audit?target=queues%3D%5Bnorth%5D").body())
        .contains("\"dead-letters.redrive\"", "{\"redriven\": 1}", "undertaker");
    HttpRequest.Builder edit =
        HttpRequest.newBuilder(live.uri("/v1/dead-letters/" + foreign))
            .header("Content-Type", "application/json")
            .method("PATCH", BodyPublishers.ofString("{\"payload\":\"y\"}"));
    String copy = id(admin.send(live, edit));
    JsonNode edited = json(admin.get(live, "/v1/audit?target=" + foreign)).get("items").get(0);
    assertThat(edited.get("action").asString()).isEqualTo("dead-letters.edit");
    assertThat(edited.get("before").has("replacedBy")).isFalse();
    assertThat(edited.get("after").get("replacedBy").asString()).isEqualTo(copy);
  }

  @Test
  void anIdempotencyKeyIsItsPrincipals() throws Exception {
    KeyHolder one = KeyHolder.of(live, admin, "one", Scope.SUBMIT);
    KeyHolder renewed = KeyHolder.of(live, admin, "one", Scope.SUBMIT);
    KeyHolder two = KeyHolder.of(live, admin, "two", Scope.SUBMIT);
    String job = "{\"kind\":\"a\",\"delay\":\"P1D\"}";

    String first = id(one.post(live, "/v1/jobs", job, "Idempotency-Key", "same"));

    assertThat(id(renewed.post(live, "/v1/jobs", job, "Idempotency-Key", "same"))).isEqualTo(first);
    assertThat(id(two.post(live, "/v1/jobs", job, "Idempotency-Key", "same"))).isNotEqualTo(first);

    // Whoever may submit and no more is told by a replay what it was told at first.
    HttpResponse<String> replay = one.post(live, "/v1/jobs", job, "Idempotency-Key", "same");
    assertThat(replay.body()).isEqualTo("{\"id\":\"" + first + "\",\"existing\":true}");
    assertThat(replay.headers().firstValue("Idempotency-Replayed")).hasValue("true");
    KeyHolder ended = KeyHolder.of(live, admin, "one", Scope.ADMIN);
    ended.post(live, "/v1/jobs/" + first + "/cancel");
    replay = one.post(live, "/v1/jobs", job, "Idempotency-Key", "same");
    assertThat(replay.statusCode()).isEqualTo(202);
    assertThat(replay.body()).doesNotContain("cancelled");
    replay = ended.post(live, "/v1/jobs", job, "Idempotency-Key", "same");
    assertThat(replay.statusCode()).isEqualTo(200);
    assertThat(json(replay).get("state").asString()).isEqualTo("cancelled");
  }

  @Test
  void oneKeyHasNotAllPlacesOfViewers() throws Exception {
    KeyHolder wall = KeyHolder.of(live, admin, "wall", Scope.READ);
    KeyHolder desk = KeyHolder.of(live, admin, "desk", Scope.READ);
    List<InputStream> streams = new ArrayList<>();
    try (HttpClient browser = HttpClient.newHttpClient()) {
      try {
        for (int i = 0; i < 20; i++) {
          HttpResponse<InputStream> stream = events(browser, wall);
          streams.add(stream.body());
          assertThat(stream.statusCode()).isEqualTo(200);
        }
        HttpResponse<String> refused = wall.get(live, "/v1/events");
        expect(refused, 503, "too-many-viewers");
        assertThat(json(refused).get("detail").asString()).contains("20 viewers", "with this key");
        HttpResponse<InputStream> other = events(browser, desk);
        streams.add(other.body());
        assertThat(other.statusCode()).isEqualTo(200);
      } finally {
        for (InputStream stream : streams) {
          stream.close();
        }
      }
    }
  }

  private HttpResponse<InputStream> events(HttpClient browser, KeyHolder viewer) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(live.uri("/v1/events"))
            .header("Authorization", "Bearer " + viewer.secret())
            .build();
    return browser.send(request, BodyHandlers.ofInputStream());
  }

  @Test
  void aChangeIsWrittenDownWithWhoMadeIt() throws Exception {
    KeyHolder ann = KeyHolder.of(live, admin, "ann", Scope.OPERATE);
    ann.post(live, "/v1/queues/night/pause", "{\"reason\":\"too loud\",\"by\":\"bob\"}");
    ann.post(live, "/v1/queues/night/resume");
    ann.post(live, "/v1/queues/night/resume"); // changes nothing
    HttpRequest.Builder weight =
        HttpRequest.newBuilder(live.uri("/v1/queues/night"))
            .header("Content-Type", "application/json")
            .method("PATCH", BodyPublishers.ofString("{\"weight\":7}"));
    assertThat(ann.send(live, weight).statusCode()).isEqualTo(200);
    String job = submit(admin, "night");
    ann.post(live, "/v1/jobs/" + job + "/cancel");

    JsonNode entries = json(admin.get(live, "/v1/audit?principal=ann")).get("items");

    assertThat(entries.valueStream().map(entry -> entry.get("action").asString()))
        .containsExactly("jobs.cancel", "queues.set", "queues.resume", "queues.pause");
    JsonNode cancel = entries.get(0);
    assertThat(cancel.get("target").asString()).isEqualTo(job);
    assertThat(cancel.get("before").get("state").asString()).isEqualTo("scheduled");
    assertThat(cancel.get("after").get("state").asString()).isEqualTo("cancelled");
    assertThat(cancel.get("key").asString()).isEqualTo(ann.prefix());
    assertThat(cancel.get("address").asString()).isEqualTo("127.0.0.1");
    assertThat(entries.get(1).get("after").get("weight").asInt()).isEqualTo(7);
    JsonNode pause = entries.get(3).get("after");
    assertThat(pause.get("reason").asString()).isEqualTo("too loud");
    assertThat(pause.get("by").asString()).isEqualTo("ann");
    assertThat(entries.get(2).has("after")).isFalse();

    JsonNode page = json(admin.get(live, "/v1/audit?principal=ann&action=queues&limit=2"));
    assertThat(page.get("items").size()).isEqualTo(2);
    JsonNode rest =
        json(
            admin.get(
                live,
                "/v1/audit?principal=ann&action=queues&limit=2&cursor="
                    + page.get("nextCursor").asString()));
    assertThat(rest.get("items").size()).isEqualTo(1);
    assertThat(rest.has("nextCursor")).isFalse();
    String keys = admin.get(live, "/v1/audit?action=keys.create").body();
    assertThat(keys).contains(ann.prefix()).doesNotContain("hash", "secret", ann.secret());
  }

  @Test
  @Order(Integer.MAX_VALUE)
  void guessingIsSlowedDownAndARightKeyPassesAllTheSame() throws Exception {
    HttpResponse<String> last = guess();
    for (int i = 0; i < 2 * Guesses.MOST && last.statusCode() == 401; i++) {
      last = guess();
    }
    expect(last, 429, "too-many-wrong-keys");
    assertThat(last.headers().firstValue("Retry-After")).isPresent();
    assertThat(admin.get(live, "/v1/queues").statusCode()).isEqualTo(200);
  }

  private HttpResponse<String> guess() throws Exception {
    return live.send(
        HttpRequest.newBuilder(live.uri("/v1/queues")).header("Authorization", "Bearer guess"));
  }

  private static void expect(HttpResponse<String> answer, int status, String slug) {
    assertThat(answer.statusCode()).as(answer::body).isEqualTo(status);
    assertThat(json(answer).get("type").asString()).isEqualTo("/problems/" + slug);
    assertThat(json(answer).get("remedy") != null || status == 404).as("remedy").isTrue();
  }

  private String submit(KeyHolder holder, String queue) throws Exception {
    return id(
        holder.post(
            live, "/v1/jobs", "{\"kind\":\"a\",\"delay\":\"P1D\",\"queue\":\"" + queue + "\"}"));
  }

  private String dead(String queue) throws Exception {
    String id =
        id(
            admin.post(
                live,
                "/v1/jobs",
                "{\"kind\":\"doomed\",\"payload\":\"x\",\"queue\":\"" + queue + "\"}"));
    await()
        .atMost(PATIENCE)
        .until(() -> admin.get(live, "/v1/dead-letters/" + id).statusCode() == 200);
    return id;
  }

  private static String id(HttpResponse<String> accepted) {
    assertThat(accepted.statusCode()).as(accepted::body).isEqualTo(202);
    return json(accepted).get("id").asString();
  }

  private static List<String> ids(HttpResponse<String> page) {
    return json(page).get("items").valueStream().map(job -> job.get("id").asString()).toList();
  }

  private void sql(String... statements) throws SQLException {
    try (Connection connection = DriverManager.getConnection(live.engine().pgUrl());
        Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }
}
