package dev.millpond.server.browser;

import static dev.millpond.server.support.LiveServer.json;

import dev.millpond.api.Backoff;
import dev.millpond.api.HandlerOptions;
import dev.millpond.embedded.TestRedis;
import dev.millpond.embedded.TestServers;
import dev.millpond.engine.Millpond;
import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.support.LiveServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * Makes the pictures of the docs with {@code -Dmillpond.docs.write=true}: a fleet at work for a
 * while, and a look at each page.
 */
@EnabledIfSystemProperty(named = "millpond.docs.write", matches = "true")
class DocsPicturesIT {
  private static final Path PICTURES = Path.of("..", "docs", "pictures");

  /** So long the fleet has been looked at when the first picture is taken. */
  private static final int WARM_MILLIS = 75_000;

  /** Between two turns of the load. */
  private static final long PACE_NANOS = 100_000_000;

  private static final int WIDTH = 1280;
  private static final int HEIGHT = 800;

  private final Random random = new Random(7);

  @TempDir private Path directory;

  @Test
  void eachPageOfAFleetAtWork() throws Exception {
    Files.createDirectories(PICTURES);
    AtomicBoolean over = new AtomicBoolean();
    try (TestRedis redis = TestServers.get().redis();
        LiveServer live =
            LiveServer.start(
                directory.resolve("server"),
                Map.of(
                    ConfigKey.ROLE, "api,maintenance",
                    ConfigKey.REDIS_URLS, redis.url(),
                    ConfigKey.WORKER_SLOTS, "16",
                    ConfigKey.QUEUE_HIGH_WATERMARK, "400"));
        Chromium browser = Chromium.start(directory)) {
      handlers(live.server().millpond(), over);
      Tab tab = browser.tab();
      tab.look(WIDTH, HEIGHT, "light");
      URI root = live.uri("/ui/");
      tab.open(root);
      live.post("/v1/queues/newsletter/pause", "{\"reason\":\"wrong template\",\"by\":\"ann\"}");
      live.send(
          HttpRequest.newBuilder(live.uri("/v1/queues/images"))
              .header("Content-Type", "application/json")
              .method(
                  "PATCH",
                  HttpRequest.BodyPublishers.ofString(
                      "{\"highWatermark\":1000,\"lowWatermark\":300}")));
      String report =
          submit(
              live,
              "{\"kind\":\"report.build\",\"queue\":\"reports\",\"payload\":{\"month\":\"2026-10\"}}");
      Thread load = Thread.ofVirtual().start(() -> work(live, over));
      tab.until("performance.now() > " + WARM_MILLIS, Duration.ofMinutes(3));
      tab.picture(PICTURES.resolve("overview.png"), false);
      tab.look(WIDTH, HEIGHT, "dark");
      tab.until("getComputedStyle(document.body).color !== 'rgb(21, 25, 30)'");
      tab.picture(PICTURES.resolve("overview-dark.png"), false);
      tab.look(390, HEIGHT, "dark");
      tab.until("innerWidth === 390");
      tab.picture(PICTURES.resolve("overview-phone.png"), false);
      tab.look(WIDTH, HEIGHT, "light");
      String dead =
          json(live.get("/v1/dead-letters?limit=1")).get("items").get(0).get("jobId").asString();
      picture(tab, root, "jobs", "jobs", "tbody tr");
      picture(tab, root, "jobs/" + report, "job", ".log li");
      picture(tab, root, "jobs/" + dead, "job-dead", ".path li");
      picture(tab, root, "queues", "queues", "tbody tr");
      picture(tab, root, "queues/images", "queue", ".weights");
      picture(tab, root, "dead-letters", "dead-letters", "tbody strong");
      picture(tab, root, "workers", "workers", "tbody tr");
      picture(tab, root, "maintenance", "maintenance", ".badge.level-ok");
      live.post(
          "/v1/keys", "{\"name\":\"checkout\",\"scopes\":[\"submit\"],\"queues\":[\"mail\"]}");
      live.post("/v1/keys", "{\"name\":\"night-shift\",\"scopes\":[\"operate\"]}");
      picture(tab, root, "keys", "keys", "tbody tr");
      picture(tab, root, "audit", "audit", "tbody tr");
      tab.close();
      over.set(true);
      load.join();
      live.post("/v1/queues/newsletter/resume");
    }
  }

  private static void picture(Tab tab, URI root, String page, String name, String shows)
      throws IOException {
    tab.open(root.resolve(page));
    tab.until(
        "document.querySelector('" + shows + "') && document.querySelector('.tools .level-ok')");
    tab.until("performance.now() > 1500");
    tab.picture(PICTURES.resolve(name + ".png"), false);
  }

  private static void handlers(Millpond millpond, AtomicBoolean over) {
    HandlerOptions options =
        HandlerOptions.DEFAULT
            .withMaxAttempts(2)
            .withBackoff(new Backoff(Duration.ofMillis(200), Duration.ofSeconds(2)));
    Random random = new Random(11);
    millpond
        .registerHandler(
            "mail.send",
            Map.class,
            (context, mail) -> {
              Thread.sleep(10 + random.nextInt(60));
              return Map.of("accepted", true);
            },
            options)
        .registerHandler(
            "image.resize",
            Map.class,
            (context, image) -> {
              Thread.sleep(120 + random.nextInt(100));
              return null;
            },
            options)
        .registerHandler(
            "bank.sync",
            Map.class,
            (context, account) -> {
              throw new IOException(
                  "Connection to bank-"
                      + random.nextInt(4)
                      + ".example refused after "
                      + random.nextInt(3_000)
                      + " ms");
            },
            options)
        .registerHandler(
            "report.build",
            Map.class,
            (context, report) -> {
              for (int page = 1; !over.get(); page++) {
                context.log("page " + page + " of 120 is built");
                context.progress(Math.min(99, page), "page " + page + " of 120");
                Thread.sleep(1_000);
                context.checkStop();
              }
              return Map.of("pages", 120);
            },
            options);
    millpond.startWorker();
  }

  /** Submits until it is over: images faster than they are made for most of the time. */
  private void work(LiveServer live, AtomicBoolean over) {
    for (int turn = 0; !over.get(); turn++) {
      for (int i = 0; i < 4; i++) {
        submit(
            live,
            """
            {"kind":"mail.send","queue":"mail","priorityClass":"%s",
             "payload":{"to":"user%d@example.com"},"tags":["customer-%d"]}
            """
                .formatted(
                    random.nextInt(4) == 0 ? "critical" : "normal",
                    random.nextInt(9_999),
                    random.nextInt(20)));
      }
      for (int i = 0; i < 11; i++) {
        submit(
            live,
            """
            {"kind":"image.resize","queue":"images","payload":{"id":%d}}
            """
                .formatted(11 * turn + i));
      }
      if (turn % 12 == 0) {
        submit(
            live,
            """
            {"kind":"bank.sync","queue":"finance","priorityClass":"high","payload":{"account":%d}}
            """
                .formatted(turn));
        submit(live, "{\"kind\":\"mail.send\",\"queue\":\"newsletter\"}");
        submit(live, "{\"kind\":\"mail.send\",\"queue\":\"mail\",\"delay\":\"PT10M\"}");
      }
      LockSupport.parkNanos(PACE_NANOS);
    }
  }

  private static String submit(LiveServer live, String job) {
    try {
      return json(live.post("/v1/jobs", job)).path("id").asString("");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
