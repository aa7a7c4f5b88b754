package dev.millpond.server.http.access;

import static dev.millpond.server.support.LiveServer.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.engine.access.Scope;
import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.support.KeyHolder;
import dev.millpond.server.support.LiveServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;

/** From where a caller calls: what proxies that are trusted say of it, and what it decides. */
@TestInstance(Lifecycle.PER_CLASS)
class CallerAddressIT {
  private static final String PROXY = "127.0.0.9";
  private static final String FOR = "X-Forwarded-For";
  private static final String JOB = "{\"kind\":\"a\",\"delay\":\"P1D\"}";

  private LiveServer live;
  private KeyHolder admin;
  private HttpClient proxy;

  @BeforeAll
  void start(@TempDir Path directory) throws IOException {
    String pgUrl = LiveServer.migratedDatabase();
    admin = KeyHolder.in(pgUrl, "root", Scope.ADMIN);
    live =
        LiveServer.start(
            directory,
            Map.of(
                ConfigKey.AUTH_MODE, "keys",
                ConfigKey.HTTP_BIND, "0.0.0.0",
                ConfigKey.HTTP_PROXIES, "192.0.2.0/24," + PROXY,
                ConfigKey.PG_URL, pgUrl,
                ConfigKey.ROLE, "api"));
    proxy = HttpClient.newBuilder().localAddress(InetAddress.getByName(PROXY)).build();
  }

  @AfterAll
  void stop() {
    proxy.close();
    live.close();
  }

  @Test
  void wrongKeysCountForTheAddressThatATrustedProxyNames() throws Exception {
    HttpResponse<String> last = wrongKey("203.0.113.5");
    for (int i = 0; i < 2 * Guesses.MOST && last.statusCode() == 401; i++) {
      last = wrongKey("198.51.100." + i + ", 203.0.113.5"); // what the caller itself has written
    }
    assertThat(last.statusCode()).isEqualTo(429);
    assertThat(wrongKey("203.0.113.6").statusCode()).isEqualTo(401);
    assertThat(wrongKey("203.0.113.5, 203.0.113.6").statusCode()).isEqualTo(401);
  }

  @Test
  void theAuditHasTheAddressThatATrustedProxyNamesAndNobodyElse() throws Exception {
    pause(proxy, "behind", "198.51.100.1, 203.0.113.7, 192.0.2.44");
    try (HttpClient direct = HttpClient.newHttpClient()) {
      pause(direct, "forged", "203.0.113.8");
    }

    assertThat(address("behind")).isEqualTo("203.0.113.7");
    assertThat(address("forged")).isEqualTo("127.0.0.1");
  }

  @Test
  void whatAProxySaysOfTheHostChangesNoOrigin() throws Exception {
    HttpRequest.Builder request =
        request("/v1/queues/foreign/pause", "203.0.113.9")
            .header("Authorization", "Bearer " + admin.secret())
            .headers("X-Forwarded-Host", "evil.example", "Origin", "http://evil.example")
            .POST(BodyPublishers.noBody());
    HttpResponse<String> refused = proxy.send(request.build(), BodyHandlers.ofString());
    assertThat(refused.statusCode()).as(refused::body).isEqualTo(403);
  }

  @Test
  void anotherSchemeIsNoGuess() throws Exception {
    for (int i = 0; i < 2 * Guesses.MOST; i++) {
      HttpResponse<String> refused = submit("203.0.113.20", "Basic YWRtaW46YWRtaW4=");
      assertThat(refused.statusCode()).isEqualTo(401);
      assertThat(refused.headers().firstValue("WWW-Authenticate")).hasValue("Bearer");
    }
    HttpResponse<String> wrong = wrongKey("203.0.113.20");
    assertThat(wrong.statusCode()).isEqualTo(401);
    assertThat(wrong.headers().firstValue("WWW-Authenticate"))
        .hasValue("Bearer error=\"invalid_token\"");
  }

  @Test
  void whoeverAnnouncesBodiesAndSendsNoneKeepsOthersFromNoSession() throws Exception {
    String head =
        """
        POST /v1/session HTTP/1.1
        Host: 127.0.0.1
        Content-Type: application/json
        Content-Length: 99

        """
            .replace("\n", "\r\n");
    List<Socket> silent = new ArrayList<>();
    try {
      for (int i = 0; i < 5; i++) {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), live.uri("/").getPort());
        silent.add(socket);
        socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
      }
      String key = "{\"key\":\"" + admin.secret() + "\"}";
      await()
          .atMost(Duration.ofSeconds(20))
          .until(() -> live.post("/v1/session", key).statusCode() == 503);
      HttpRequest.Builder other =
          request("/v1/session", "203.0.113.30")
              .header("Content-Type", "application/json")
              .POST(BodyPublishers.ofString(key));
      assertThat(proxy.send(other.build(), BodyHandlers.ofString()).statusCode()).isEqualTo(200);
    } finally {
      for (Socket socket : silent) {
        socket.close();
      }
    }
  }

  private HttpResponse<String> wrongKey(String from) throws Exception {
    return submit(from, "Bearer guess");
  }

  /** A submit, which goes past Spring MVC. */
  private HttpResponse<String> submit(String from, String authorization) throws Exception {
    HttpRequest.Builder request =
        request("/v1/jobs", from)
            .header("Authorization", authorization)
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(JOB));
    return proxy.send(request.build(), BodyHandlers.ofString());
  }

  private void pause(HttpClient client, String queue, String from) throws Exception {
    HttpRequest.Builder request =
        request("/v1/queues/" + queue + "/pause", from)
            .header("Authorization", "Bearer " + admin.secret())
            .POST(BodyPublishers.noBody());
    assertThat(client.send(request.build(), BodyHandlers.ofString()).statusCode()).isEqualTo(200);
  }

  private String address(String queue) throws Exception {
    HttpResponse<String> found = admin.get(live, "/v1/audit?target=" + queue);
    return json(found).get("items").get(0).get("address").asString();
  }

  private HttpRequest.Builder request(String path, String from) {
    return HttpRequest.newBuilder(live.uri(path)).timeout(Duration.ofSeconds(30)).header(FOR, from);
  }
}
