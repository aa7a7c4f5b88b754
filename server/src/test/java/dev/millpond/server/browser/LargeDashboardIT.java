package dev.millpond.server.browser;

import static dev.millpond.server.support.LiveServer.json;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;
import tools.jackson.databind.JsonNode;

/**
 * The dashboard of an installation with millions of jobs, by hand with {@code
 * -Dmillpond.dashboard.jobs=10000000}: when each page has its data, and what it is like under full
 * load. See docs/dashboard.md.
 */
@EnabledIfSystemProperty(named = LargeFleet.JOBS, matches = "[0-9]+")
@Isolated("measures")
class LargeDashboardIT {
  /** Where each page's pictures go, if anywhere. */
  private static final String PICTURES = "millpond.dashboard.pictures";

  /** Each page is opened so often, each time by a browser that has nothing of it. */
  private static final int OPENS = 3;

  /** What people wait for without noticing that they wait. */
  private static final int ALLOWED_MILLIS = 1_000;

  /** So many jobs have more dead letters than one look reads. */
  private static final int MORE_THAN_A_LOOK = 10_000_000;

  /** Longer than the doctor's rules need for all their turns. */
  private static final Duration USUAL = Duration.ofSeconds(12);

  private static final Duration WARM_UP = Duration.ofSeconds(10);
  private static final Duration TURN = Duration.ofSeconds(6);
  private static final int PAIRS = 3;

  /** When a page first has what it is for, in ms since it was asked for. */
  private static final String WATCH =
      """
      (() => {
        const look = () => {
          if (SHOWN) {
            window.shownAt = performance.now();
          } else {
            setTimeout(look, 5);
          }
        };
        look();
      })()
      """;

  private static final String MEASURED =
      """
      (() => {
        const resources = performance.getEntriesByType('resource');
        const asked = resources.filter((e) => e.name.includes('/v1/') && e.duration > 0)
            .sort((a, b) => b.duration - a.duration)[0];
        return {
          paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0,
          shown: window.shownAt,
          bytes: [...resources, performance.getEntriesByType('navigation')[0]]
              .reduce((sum, e) => sum + e.transferSize, 0),
          slowest: asked ? asked.duration : 0,
          asked: asked ? new URL(asked.name).pathname : '',
        };
      })()
      """;

  /** Counts frames, and what keeps the page from answering. */
  private static final String FOLLOW =
      """
      import(document.querySelector('link[href$="/core/live.js"]').href).then(({live}) => {
        const seen = {frames: [], tasks: []};
        window.seen = seen;
        live.addEventListener('frame', () => seen.frames.push(performance.now()));
        new PerformanceObserver((list) =>
            list.getEntries().forEach((e) => seen.tasks.push(e.duration)))
            .observe({type: 'longtask'});
        return true;
      })
      """;

  private static final String FOLLOWED =
      """
      (() => {
        const {frames, tasks} = window.seen;
        const gaps = frames.slice(1).map((at, i) => at - frames[i]);
        return {
          frames: frames.length,
          seconds: frames.length > 1 ? (frames.at(-1) - frames[0]) / 1000 : 0,
          gap: Math.max(0, ...gaps),
          tasks: tasks.length,
          longest: Math.max(0, ...tasks),
        };
      })()
      """;

  @TempDir static Path directory;

  private static LargeFleet fleet;
  private static Chromium browser;
  private static URI root;

  @BeforeAll
  static void start() throws IOException, SQLException {
    fleet = LargeFleet.start(directory);
    browser = Chromium.start(directory);
    root = fleet.live().uri("/ui/");
  }

  @AfterAll
  static void stop() {
    if (browser != null) {
      browser.close();
    }
    if (fleet != null) {
      fleet.close();
    }
  }

  /** Pages with what shows that their data are there. */
  private static Map<String, String> pages() throws IOException, InterruptedException {
    String list = "document.querySelector('.paging')";
    Map<String, String> pages = new LinkedHashMap<>();
    pages.put(
        "", "document.querySelector('td.name a') && document.querySelector('mp-chart canvas')");
    pages.put("jobs", list);
    for (String search :
        List.of(
            "state:runnable",
            "state:running",
            "state:scheduled,waiting",
            "state:dead",
            "state:succeeded",
            "queue:rare",
            "queue:rare state:succeeded",
            "kind:mail.send state:cancelled",
            "tag:tenant-140",
            "tag:nobody",
            "error:host-77",
            "payload:\"$.size > 4990\"",
            "payload:$.nothing",
            "since:1h")) {
      pages.put("jobs?q=" + encoded(search), list);
    }
    for (String state : List.of("runnable", "scheduled", "dead", "succeeded")) {
      String id = newest(state);
      pages.put("jobs/" + id, "document.querySelector('.path li')");
    }
    pages.put("queues", "document.querySelectorAll('tbody tr').length > 60");
    pages.put("queues/default", "document.querySelector('mp-weights input')");
    String letters = "document.querySelector('main .paging, main .empty')";
    pages.put("dead-letters", letters);
    pages.put("dead-letters?q=queue:rare", letters);
    pages.put("dead-letters?q=tag:tenant-140", letters);
    pages.put("dead-letters?q=error:host-77", letters);
    pages.put("workers", "document.querySelector('tbody tr')");
    pages.put("maintenance", "document.querySelector('.pairs .mono')");
    pages.put("keys", "document.querySelector('main .panel')");
    pages.put(
        "audit",
        "document.querySelector('main .panel') && !document.body.innerText.includes('Looking')");
    return pages;
  }

  /** The newest job in a state, however many others are newer. */
  private static String newest(String state) throws IOException, InterruptedException {
    String cursor = "";
    while (true) {
      JsonNode page = json(fleet.live().get("/v1/jobs?limit=1&state=" + state + cursor));
      if (!page.get("items").isEmpty()) {
        return page.get("items").get(0).get("id").asString();
      }
      cursor = "&cursor=" + page.get("nextCursor").asString();
    }
  }

  private static String encoded(String text) {
    return text.replace("%", "%25").replace("\"", "%22").replace(" ", "%20").replace(">", "%3E");
  }

  @Test
  void eachPageHasItsDataWithinASecond() throws Exception {
    List<String> late = new ArrayList<>();
    try (Tab tab = browser.tab();
        Statements statements = Statements.of(fleet.pgUrl())) {
      tab.look(1280, 800, "light");
      statements.reset();
      tab.open(root);
      tab.until("performance.now() > " + USUAL.toMillis(), Duration.ofMinutes(1));
      System.out.println(
          "| page | first paint ms | data ms | KiB | slowest request | ms | slowest statement ms |"
              + " |");
      System.out.println("|---|---|---|---|---|---|---|---|");
      for (Map.Entry<String, String> page : pages().entrySet()) {
        if (!page.getKey().isEmpty()) {
          statements.expectThese(); // what the overview asks, and the fleet itself
        }
        double best = open(tab, statements, page.getKey(), page.getValue());
        if (best > ALLOWED_MILLIS) {
          late.add(page.getKey() + ": " + Math.round(best) + " ms");
        }
        statements.reset();
      }
      preview(tab, "dead-letters");
      preview(tab, "dead-letters?q=tag:import");
      preview(tab, "dead-letters?q=error:host-77");
      if (Integer.parseInt(System.getProperty(LargeFleet.JOBS, "0")) >= MORE_THAN_A_LOOK) {
        tab.open(root.resolve("dead-letters?q=tag:nobody"));
        tab.untilText("None so far");
        tab.untilText("Look further");
      }
    }
    assertThat(late).isEmpty();
  }

  /** Opens a page some times; how long its data took at the best of them. */
  private static double open(Tab tab, Statements statements, String page, String shows)
      throws IOException, SQLException {
    double[] shown = new double[OPENS];
    double[] paint = new double[OPENS];
    JsonNode slowest = null;
    double bytes = 0;
    for (int i = 0; i < OPENS; i++) {
      tab.open(URI.create("about:blank"));
      tab.call("Network.clearBrowserCache", Map.of());
      String watch =
          tab.call(
                  "Page.addScriptToEvaluateOnNewDocument",
                  Map.of("source", WATCH.replace("SHOWN", shows)))
              .get("identifier")
              .asString();
      tab.open(root.resolve(page));
      tab.until("window.shownAt > 0", Duration.ofMinutes(1));
      JsonNode measured = tab.eval(MEASURED);
      tab.call("Page.removeScriptToEvaluateOnNewDocument", Map.of("identifier", watch));
      shown[i] = measured.get("shown").asDouble();
      paint[i] = measured.get("paint").asDouble();
      bytes = measured.get("bytes").asDouble();
      if (slowest == null
          || measured.get("slowest").asDouble() > slowest.get("slowest").asDouble()) {
        slowest = measured;
      }
    }
    Statements.Slowest statement = statements.slowest();
    System.out.printf(
        Locale.ROOT,
        "| %s | %s | %s | %.0f | %s | %.0f | %s | %s |%n",
        page.isEmpty() ? "overview" : page,
        millis(paint),
        millis(shown),
        bytes / 1024,
        slowest == null ? "" : slowest.get("asked").asString(),
        slowest == null ? 0 : slowest.get("slowest").asDouble(),
        statement == null ? "" : String.format(Locale.ROOT, "%.1f", statement.millis()),
        statement == null ? "" : cut(statement.query()));
    return Arrays.stream(shown).min().orElseThrow();
  }

  private static String millis(double[] times) {
    return String.join(
        " / ", Arrays.stream(times).mapToObj(each -> String.valueOf(Math.round(each))).toList());
  }

  private static String cut(String text) {
    return text.substring(0, Math.min(70, text.length())).replace("|", "\\|");
  }

  /** How long it takes until people are asked whether to redrive all that match. */
  private static void preview(Tab tab, String page) throws IOException {
    tab.open(root.resolve(page));
    String title = "document.querySelector('dialog[open] h2')?.innerText ?? ''";
    tab.until("document.querySelector('.paging')");
    tab.eval("window.began = performance.now()");
    tab.click(".head button", "Redrive all that match");
    tab.until(
        "document.querySelector('dialog[open] .actions .primary:not([disabled])')",
        Duration.ofSeconds(30));
    System.out.printf(
        Locale.ROOT,
        "preview of %s: %.0f ms, %s%n",
        page,
        tab.eval("performance.now() - window.began").asDouble(),
        tab.eval(title).asString());
    tab.click("dialog[open] button", "Not now");
  }

  @Test
  void underFullLoadThereIsAFrameASecondAndThePageAnswers() throws Exception {
    fleet.startLoad();
    try (HttpClient client = HttpClient.newHttpClient()) {
      LockSupport.parkNanos(WARM_UP.toNanos());
      System.out.println("| jobs/s | with a reader of the stream | with the overview open | |");
      System.out.println("|---|---|---|---|");
      for (int i = 0; i < PAIRS; i++) {
        double without = rate();
        InputStream stream =
            client
                .send(
                    HttpRequest.newBuilder(fleet.live().uri("/v1/events")).build(),
                    BodyHandlers.ofInputStream())
                .body();
        Thread reader = Thread.ofVirtual().start(() -> drain(stream));
        double read = rate();
        stream.close();
        reader.join();
        watched(without, read);
      }
      pagesMeanwhile();
    } finally {
      fleet.endLoad();
    }
  }

  private static void watched(double without, double read)
      throws IOException, InterruptedException {
    try (Tab tab = browser.tab()) {
      tab.look(1280, 800, "light");
      tab.open(root);
      tab.until("document.querySelector('mp-chart canvas')");
      tab.eval(FOLLOW);
      double watched = rate();
      JsonNode followed = tab.eval(FOLLOWED);
      System.out.printf(
          Locale.ROOT,
          "| %,.0f | %,.0f | %,.0f | %d frames in %.1f s, longest gap %.0f ms; %d long tasks,"
              + " longest %.0f ms |%n",
          without,
          read,
          watched,
          followed.get("frames").asInt(),
          followed.get("seconds").asDouble(),
          followed.get("gap").asDouble(),
          followed.get("tasks").asInt(),
          followed.get("longest").asDouble());
      assertThat(followed.get("frames").asInt()).isGreaterThanOrEqualTo((int) TURN.toSeconds() - 2);
    }
  }

  private static void pagesMeanwhile() throws Exception {
    try (Tab tab = browser.tab();
        Statements statements = Statements.of(fleet.pgUrl())) {
      tab.look(1280, 800, "light");
      for (Map.Entry<String, String> page :
          Map.of(
                  "", "document.querySelector('td.name a')",
                  "jobs", "document.querySelector('.paging')",
                  "jobs?q=queue:load%20state:succeeded", "document.querySelector('.paging')",
                  "queues", "document.querySelector('tbody tr')",
                  "dead-letters", "document.querySelector('main .paging, main .empty')")
              .entrySet()) {
        statements.reset();
        open(tab, statements, page.getKey(), page.getValue());
      }
    }
  }

  private static void drain(InputStream stream) {
    try {
      stream.transferTo(OutputStream.nullOutputStream());
    } catch (IOException e) {
      // It was closed.
    }
  }

  /** Jobs a second, for a while from now on. */
  private static double rate() {
    long before = fleet.done();
    long began = System.nanoTime();
    LockSupport.parkNanos(TURN.toNanos());
    return (fleet.done() - before) / ((System.nanoTime() - began) / 1e9);
  }

  @Test
  @EnabledIfSystemProperty(named = PICTURES, matches = ".+")
  void eachPageInPictures() throws Exception {
    Path pictures = Files.createDirectories(Path.of(System.getProperty(PICTURES, "")));
    try (Tab tab = browser.tab()) {
      int number = 0;
      for (Map.Entry<String, String> page : pages().entrySet()) {
        String name = "%02d-".formatted(number++) + page.getKey().replaceAll("[^a-z]+", "-");
        tab.look(1280, 800, "light");
        tab.open(root.resolve(page.getKey()));
        tab.until(page.getValue());
        tab.until("performance.now() > 1500");
        tab.picture(pictures.resolve(name + ".png"), false);
        tab.look(1280, 800, "dark");
        tab.until("getComputedStyle(document.body).color !== 'rgb(21, 25, 30)'");
        tab.picture(pictures.resolve(name + "-dark.png"), false);
        tab.look(390, 844, "light");
        tab.until("innerWidth === 390");
        tab.picture(pictures.resolve(name + "-phone.png"), true);
      }
    }
  }
}
