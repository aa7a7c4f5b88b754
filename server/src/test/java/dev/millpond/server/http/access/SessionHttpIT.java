package dev.millpond.server.http.access;

import static dev.millpond.server.support.LiveServer.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.engine.access.Scope;
import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.support.KeyHolder;
import dev.millpond.server.support.LiveServer;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sessions of browsers: a cookie in the place of a key. */
class SessionHttpIT {
  private static final String PAUSE = "/v1/queues/night/pause";

  @Test
  void aSessionHasTheRightsOfItsKeyAndEndsWithIt(@TempDir Path directory) throws Exception {
    String pgUrl = LiveServer.migratedDatabase();
    KeyHolder ann = KeyHolder.in(pgUrl, "ann", Scope.OPERATE);
    KeyHolder admin = KeyHolder.in(pgUrl, "root", Scope.ADMIN);
    Map<ConfigKey, String> flags =
        Map.of(
            ConfigKey.AUTH_MODE, "keys",
            ConfigKey.PG_URL, pgUrl,
            ConfigKey.ROLE, "api,maintenance");
    try (LiveServer live = LiveServer.start(directory.resolve("one"), flags);
        LiveServer other = LiveServer.start(directory.resolve("other"), flags)) {
      HttpResponse<String> begun = live.post("/v1/session", "{\"key\":\"" + ann.secret() + "\"}");

      assertThat(begun.statusCode()).as(begun::body).isEqualTo(200);
      assertThat(json(begun).get("principal").asString()).isEqualTo("ann");
      // Whoever is not known may send no large body.
      assertThat(live.post("/v1/session", "{\"key\":\"" + "x".repeat(2_000) + "\"}").statusCode())
          .isEqualTo(413);
      assertThat(json(begun).get("scopes").toString()).isEqualTo("[\"read\",\"operate\"]");
      String header = begun.headers().firstValue("Set-Cookie").orElseThrow();
      assertThat(header).contains("; HttpOnly; SameSite=Strict").doesNotContain("Secure");
      String cookie = header.substring(0, header.indexOf(';'));
      assertThat(get(live, "/v1/session", cookie).body()).contains("\"mode\":\"keys\"");
      assertThat(get(other, "/v1/queues", cookie).statusCode()).isEqualTo(200);
      assertThat(get(live, "/v1/keys", cookie).statusCode()).isEqualTo(403);
      HttpRequest.Builder behindPassword = // which a proxy has asked for
          HttpRequest.newBuilder(live.uri("/v1/queues"))
              .headers("Cookie", cookie, "Authorization", "Basic eDp5");
      assertThat(live.send(behindPassword).statusCode()).isEqualTo(200);

      // What changes something has to come from our own pages.
      assertThat(post(live, PAUSE, cookie).statusCode()).isEqualTo(403);
      assertThat(post(live, PAUSE, cookie, Callers.CSRF_HEADER, "1").statusCode()).isEqualTo(403);
      String origin = live.uri("/").toString().replaceAll("/$", "");
      assertThat(post(live, PAUSE, cookie, "Origin", origin).statusCode()).isEqualTo(403);
      assertThat(
              post(live, PAUSE, cookie, Callers.CSRF_HEADER, "1", "Origin", "http://evil.example")
                  .statusCode())
          .isEqualTo(403);
      HttpResponse<String> paused =
          post(live, PAUSE, cookie, Callers.CSRF_HEADER, "1", "Origin", origin);
      assertThat(paused.statusCode()).as(paused::body).isEqualTo(200);
      assertThat(json(paused).get("by").asString()).isEqualTo("ann");

      // Unused for too long, as the database has it.
      String idle = begin(live, ann);
      sql(pgUrl, "UPDATE millpond.api_session SET seen_at = now() - interval '31 minutes'");
      assertThat(get(other, "/v1/queues", idle).statusCode()).isEqualTo(401);
      sql(pgUrl, "UPDATE millpond.api_session SET seen_at = now()");

      HttpRequest.Builder logOut =
          HttpRequest.newBuilder(live.uri("/v1/session"))
              .DELETE()
              .headers("Cookie", cookie, Callers.CSRF_HEADER, "1", "Origin", origin);
      HttpResponse<String> out = live.send(logOut);
      assertThat(out.statusCode()).as(out::body).isEqualTo(204);
      assertThat(out.headers().firstValue("Set-Cookie").orElseThrow()).contains("Max-Age=0");
      assertThat(get(live, "/v1/session", cookie).statusCode()).isEqualTo(401);
      until401(other, cookie);

      String second = begin(live, ann);
      assertThat(get(other, "/v1/queues", second).statusCode()).isEqualTo(200);
      admin.delete(live, "/v1/keys/" + ann.prefix());
      assertThat(get(live, "/v1/queues", second).statusCode()).isEqualTo(401);
      until401(other, second);
    }
  }

  @Test
  void withoutKeysEverybodyHereMayDoEverything(@TempDir Path directory) throws Exception {
    try (LiveServer live = LiveServer.start(directory, Map.of(ConfigKey.ROLE, "api"))) {
      HttpResponse<String> shown = live.get("/v1/session");
      assertThat(json(shown).get("mode").asString()).isEqualTo("none");
      assertThat(json(shown).get("scopes").size()).isEqualTo(4);
      assertThat(live.post("/v1/session").statusCode()).isEqualTo(200);
      live.post(PAUSE);
      assertThat(json(live.get("/v1/audit")).get("items").get(0).get("principal").asString())
          .isEqualTo("default");
    }
  }

  private static void until401(LiveServer server, String cookie) {
    await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> get(server, "/v1/queues", cookie).statusCode() == 401);
  }

  private static String begin(LiveServer live, KeyHolder holder) throws Exception {
    HttpResponse<String> begun = holder.post(live, "/v1/session");
    String header = begun.headers().firstValue("Set-Cookie").orElseThrow();
    return header.substring(0, header.indexOf(';'));
  }

  private static HttpResponse<String> get(LiveServer live, String path, String cookie)
      throws Exception {
    return live.send(HttpRequest.newBuilder(live.uri(path)).header("Cookie", cookie));
  }

  private static HttpResponse<String> post(
      LiveServer live, String path, String cookie, String... headers) throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(live.uri(path))
            .header("Cookie", cookie)
            .POST(BodyPublishers.noBody());
    return live.send(headers.length == 0 ? request : request.headers(headers));
  }

  private static void sql(String pgUrl, String sql) throws Exception {
    try (Connection connection = DriverManager.getConnection(pgUrl);
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }
}
