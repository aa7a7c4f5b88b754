package dev.millpond.server.traces;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import com.sun.net.httpserver.HttpServer;
import dev.millpond.engine.Millpond;
import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.logs.JobInText;
import dev.millpond.server.logs.JsonLines;
import dev.millpond.server.support.LiveServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;

/** A trace that comes by HTTP, to a collector and into the lines of the log. */
class TraceHttpIT {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";
  private static final String GIVEN = "00-" + TRACE + "-b7ad6b7169203331-01";
  private static final LoggerContext LOGGERS = (LoggerContext) LoggerFactory.getILoggerFactory();
  private static final String JOB = "{\"kind\":\"greet\",\"payload\":\"x\"}";

  @TempDir private Path directory;

  /** What the collector got. */
  private final BlockingQueue<String> sent = new ArrayBlockingQueue<>(100);

  private final BlockingQueue<String> lines = new ArrayBlockingQueue<>(100);
  private HttpServer collector;
  private LiveServer live;

  @BeforeEach
  void start() throws IOException {
    collector = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    collector.createContext(
        "/v1/traces",
        exchange -> {
          boolean ignored =
              sent.offer(
                  new String(
                      exchange.getRequestBody().readAllBytes(), StandardCharsets.ISO_8859_1));
          exchange.sendResponseHeaders(200, -1);
          exchange.close();
        });
    collector.start();
    live =
        LiveServer.start(
            directory,
            Map.of(
                ConfigKey.ROLE, "api,maintenance",
                ConfigKey.TRACE_RATIO, "0",
                ConfigKey.TRACE_OTLP_URL, "http://127.0.0.1:" + collector.getAddress().getPort()));
    Millpond millpond = live.server().millpond();
    millpond.registerHandler(
        "greet",
        String.class,
        (context, payload) -> {
          LoggingEvent event =
              new LoggingEvent("", LOGGERS.getLogger("greeter"), Level.INFO, "hello", null, null);
          lines.put(new String(new JsonLines().encode(event), StandardCharsets.UTF_8));
          lines.put(new JobInText().convert(event));
          return null;
        });
    millpond.startWorker();
  }

  @AfterEach
  void stop() {
    try {
      live.close();
    } finally {
      collector.stop(0);
    }
  }

  @Test
  void aTraceReachesTheCollectorAndTheLinesOfTheHandler() throws Exception {
    HttpResponse<String> answer = live.post("/v1/jobs", JOB, "traceparent", GIVEN);
    assertThat(answer.statusCode()).isEqualTo(202);
    String id = LiveServer.json(answer).get("id").asString();
    JsonNode line = LiveServer.json(lines.poll(30, TimeUnit.SECONDS));
    assertThat(line.get("message").asString()).isEqualTo("hello");
    assertThat(line.get("job").asString()).isEqualTo(id);
    assertThat(line.get("kind").asString()).isEqualTo("greet");
    assertThat(line.get("queue").asString()).isEqualTo("default");
    assertThat(line.get("attempt").asInt()).isEqualTo(1);
    assertThat(line.get("token").asInt()).isEqualTo(1);
    assertThat(line.get("worker").asString()).isNotEmpty();
    assertThat(line.get("trace").asString()).isEqualTo(TRACE);
    assertThat(lines.poll(30, TimeUnit.SECONDS)).isEqualTo(" [greet " + id + " attempt 1 token 1]");
    StringBuilder all = new StringBuilder();
    for (String name :
        List.of("POST /v1/jobs", "submit greet", "wait greet", "run greet", "commit greet")) {
      await(name)
          .atMost(PATIENCE)
          .until(() -> {
            String more = sent.poll();
            all.append(more == null ? "" : more);
            return all.indexOf(name) >= 0;
          });
    }
    assertThat(all).contains(id);
  }

  @Test
  void aSubmitWithoutATraceOrWithABrokenOneBeginsNoneWhereTheRatioIsZero() throws Exception {
    for (String broken : List.of("x", GIVEN.replace("-01", "-00"), GIVEN + "\t1")) {
      assertThat(live.post("/v1/jobs", JOB, "traceparent", broken).statusCode()).isEqualTo(202);
      JsonNode line = LiveServer.json(lines.poll(30, TimeUnit.SECONDS));
      assertThat(line.get("trace")).isNull();
      assertThat(lines.poll(30, TimeUnit.SECONDS)).contains("greet");
    }
    assertThat(sent).isEmpty();
  }
}
