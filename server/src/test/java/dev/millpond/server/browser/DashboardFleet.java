package dev.millpond.server.browser;

import static dev.millpond.server.support.LiveServer.json;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.support.HandlerJar;
import dev.millpond.server.support.LiveServer;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.awaitility.Awaitility;
import tools.jackson.databind.JsonNode;

/** A server with jobs in all states, whose texts a stranger has written. */
final class DashboardFleet implements AutoCloseable {
  /** Runs when a page takes a text for HTML. */
  static final String HOSTILE = "<img src=x onerror=window.hacked=1>";

  private static final String HANDLERS =
      """
      import dev.millpond.api.*;
      import java.util.Map;

      public final class Dashboard implements HandlerModule {
        private static final String HOSTILE = "<img src=x onerror=window.hacked=1>";

        @Override
        public void register(Handlers handlers) {
          handlers.registerHandler("mail.send", Map.class, (context, payload) -> Map.of("sent", HOSTILE));
          handlers.registerHandler("bank.sync", Map.class, (context, payload) -> {
            throw new FatalJobException("account " + payload.get("n") + " is closed " + HOSTILE);
          });
          handlers.registerHandler("report.build", Map.class, (context, payload) -> {
            context.log("page 1 of " + HOSTILE);
            context.progress(40, "page 1 " + HOSTILE);
            while (true) {
              Thread.sleep(20);
              context.checkStop();
            }
          });
        }
      }
      """;

  private final LiveServer server;

  private DashboardFleet(LiveServer server) {
    this.server = server;
  }

  static DashboardFleet start(Path directory) throws IOException {
    Path jar = HandlerJar.compile(directory, "Dashboard", HANDLERS);
    return new DashboardFleet(
        LiveServer.start(
            directory.resolve("data"),
            Map.of(
                ConfigKey.HANDLERS,
                jar.toString(),
                ConfigKey.WORKER_SLOTS,
                "8",
                ConfigKey.QUEUE_HIGH_WATERMARK,
                "1000")));
  }

  LiveServer server() {
    return server;
  }

  /** Submits a job; its id. */
  String submit(String kind, String queue, String more) throws IOException, InterruptedException {
    return submitWith(kind, queue, "{\"n\":7,\"text\":\"%s\"}".formatted(HOSTILE), more);
  }

  /** Submits a job with a payload of one's own; its id. */
  String submitWith(String kind, String queue, String payload, String more)
      throws IOException, InterruptedException {
    HttpResponse<String> answer =
        server.post(
            "/v1/jobs",
            "{\"kind\":\"%s\",\"queue\":\"%s\",\"payload\":%s%s}"
                .formatted(kind, queue, payload, more));
    assertThat(answer.statusCode()).as(answer::body).isEqualTo(202);
    return json(answer).get("id").asString();
  }

  /** Waits until a job is in a state. */
  JsonNode until(String id, String state) {
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .pollInterval(Duration.ofMillis(20))
        .until(() -> job(id).get("state").asString().equals(state));
    try {
      return job(id);
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private JsonNode job(String id) throws IOException, InterruptedException {
    return json(server.get("/v1/jobs/" + id));
  }

  JsonNode get(String path) throws IOException, InterruptedException {
    return json(server.get(path));
  }

  @Override
  public void close() {
    server.close();
  }
}
