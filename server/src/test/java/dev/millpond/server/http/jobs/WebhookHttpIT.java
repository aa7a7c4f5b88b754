package dev.millpond.server.http.jobs;

import static dev.millpond.server.support.LiveServer.json;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.support.LiveServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Webhooks as an installation configures and a client asks for them. */
class WebhookHttpIT {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @TempDir private Path folder;

  @Test
  void theEndOfAJobCallsAConfiguredTargetAndAllOthersAreRefused() throws Exception {
    Path secret =
        Files.writeString(folder.resolve("secret"), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
    BlockingQueue<String> came = new LinkedBlockingQueue<>();
    HttpServer receiver = receiver(came);
    Map<ConfigKey, String> keys =
        Map.of(
            ConfigKey.WEBHOOK_SECRET_FILE,
            secret.toString(),
            ConfigKey.WEBHOOK_ALLOW,
            "127.0.0.1, hooks.internal");
    try (LiveServer live = LiveServer.start(folder, keys)) {
      String url = "http://127.0.0.1:" + receiver.getAddress().getPort() + "/hook";
      JsonNode job = json(submit(live, "nobody", url));
      String id = job.get("id").asString();
      assertThat(json(live.get("/v1/jobs/" + id)).get("webhook").asString()).isEqualTo(url);
      live.server().millpond().cancel(UUID.fromString(id));

      assertThat(came.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS))
          .contains("\"type\":\"job.cancelled\"", id);

      HttpResponse<String> refused = submit(live, "nobody", "http://[::ffff:127.0.0.1]/");
      assertThat(refused.statusCode()).isEqualTo(422);
      JsonNode error = json(refused).get("errors").get(0);
      assertThat(error.get("pointer").asString()).isEqualTo("/webhook");
      assertThat(error.get("detail").asString()).contains("IPv4 address in its IPv6 address");
    } finally {
      receiver.stop(0);
    }
  }

  @Test
  void withoutASecretAJobWithAWebhookIsRefusedWithTheRemedy() throws Exception {
    try (LiveServer live = LiveServer.start(folder, Map.of())) {
      HttpResponse<String> refused = submit(live, "nobody", "https://example.com/");
      assertThat(refused.statusCode()).isEqualTo(422);
      assertThat(refused.body()).contains("/webhook", "millpond.webhook.secret-file");
      assertThat(live.jobs()).isZero();
    }
  }

  private static HttpResponse<String> submit(LiveServer live, String kind, String webhook)
      throws IOException, InterruptedException {
    return live.post("/v1/jobs", "{\"kind\":\"%s\",\"webhook\":\"%s\"}".formatted(kind, webhook));
  }

  private static HttpServer receiver(BlockingQueue<String> came) throws IOException {
    HttpServer receiver =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    receiver.createContext(
        "/hook",
        exchange -> {
          try (exchange) {
            came.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            exchange.sendResponseHeaders(204, -1);
          }
        });
    receiver.start();
    return receiver;
  }
}
