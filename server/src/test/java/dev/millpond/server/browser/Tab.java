package dev.millpond.server.browser;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A tab of a browser. Remembers what a page has said to its console, and what it has asked the
 * network for.
 */
final class Tab implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final AtomicInteger numbers = new AtomicInteger();
  private final Map<Integer, CompletableFuture<JsonNode>> answers = new ConcurrentHashMap<>();
  private final List<String> complaints = new CopyOnWriteArrayList<>();
  private final List<String> requests = new CopyOnWriteArrayList<>();
  private @Nullable WebSocket socket;

  private Tab() {}

  static Tab connect(HttpClient client, URI address) throws IOException {
    Tab tab = new Tab();
    tab.socket = client.newWebSocketBuilder().buildAsync(address, tab.new Listener()).join();
    for (String domain : List.of("Page", "Runtime", "Log", "Network")) {
      tab.call(domain + ".enable", Map.of());
    }
    return tab;
  }

  /** What comes from the browser: answers to commands, and events. */
  private final class Listener implements WebSocket.Listener {
    private final StringBuilder text = new StringBuilder();

    @Override
    public @Nullable CompletionStage<?> onText(WebSocket from, CharSequence data, boolean last) {
      text.append(data);
      if (last) {
        JsonNode message = JSON.readTree(text.toString());
        text.setLength(0);
        if (message.has("id")) {
          CompletableFuture<JsonNode> waiting = answers.remove(message.get("id").asInt());
          if (waiting != null) {
            waiting.complete(message);
          }
        } else {
          event(message.get("method").asString(), message.get("params"));
        }
      }
      from.request(1);
      return null;
    }
  }

  private void event(String method, JsonNode event) {
    switch (method) {
      case "Runtime.exceptionThrown" -> complaints.add(event.get("exceptionDetails").toString());
      case "Runtime.consoleAPICalled" -> {
        if (List.of("error", "warning", "assert").contains(event.get("type").asString())) {
          complaints.add(event.get("args").toString());
        }
      }
      case "Log.entryAdded" -> {
        JsonNode entry = event.get("entry");
        if (!entry.get("level").asString().equals("info")
            && !entry.get("level").asString().equals("verbose")) {
          complaints.add(entry.get("text").asString() + " " + entry.path("url").asString(""));
        }
      }
      case "Network.requestWillBeSent" -> requests.add(event.get("request").get("url").asString());
      default -> {
        // Of no interest.
      }
    }
  }

  /** Sends a command of the protocol. */
  JsonNode call(String method, Map<String, ?> parameters) throws IOException {
    int number = numbers.incrementAndGet();
    CompletableFuture<JsonNode> answer = new CompletableFuture<>();
    answers.put(number, answer);
    WebSocket to = socket;
    if (to == null) {
      throw new IOException("not connected");
    }
    to.sendText(
            JSON.writeValueAsString(Map.of("id", number, "method", method, "params", parameters)),
            true)
        .join();
    try {
      JsonNode message = answer.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
      if (message.has("error")) {
        throw new IOException(method + ": " + message.get("error"));
      }
      return message.get("result");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    } catch (ExecutionException | TimeoutException e) {
      throw new IOException(method + " was not answered", e);
    }
  }

  /** Opens a page. */
  void open(URI url) throws IOException {
    call("Page.navigate", Map.of("url", url.toString()));
  }

  /** The size and the theme of the window. */
  void look(int width, int height, String theme) throws IOException {
    call(
        "Emulation.setDeviceMetricsOverride",
        Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", false));
    call(
        "Emulation.setEmulatedMedia",
        Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", theme))));
  }

  /** Lets pages of an origin do what people would be asked for, as if the tab were before them. */
  void grant(URI origin, String... permissions) throws IOException {
    call(
        "Browser.grantPermissions",
        Map.of(
            "origin",
            origin.getScheme() + "://" + origin.getAuthority(),
            "permissions",
            List.of(permissions)));
    call("Emulation.setFocusEmulationEnabled", Map.of("enabled", true));
  }

  /** The value of an expression of JavaScript, awaited where it is a promise. */
  JsonNode eval(String expression) throws IOException {
    JsonNode result =
        call(
            "Runtime.evaluate",
            Map.of(
                "expression",
                expression,
                "returnByValue",
                true,
                "awaitPromise",
                true,
                "userGesture",
                true));
    if (result.has("exceptionDetails")) {
      throw new IOException(expression + ": " + result.get("exceptionDetails"));
    }
    return result.get("result").path("value");
  }

  /** Waits until an expression is true. */
  void until(String expression) {
    until(expression, PATIENCE);
  }

  /** Waits longer, or less long. */
  void until(String expression, Duration within) {
    try {
      Awaitility.await()
          .atMost(within)
          .pollInterval(Duration.ofMillis(25))
          .ignoreExceptions() // a page that is being left
          .until(() -> eval("Boolean(" + expression + ")").asBoolean());
    } catch (ConditionTimeoutException e) {
      throw new AssertionError(expression + " was not true in time; the page shows: " + text(), e);
    }
  }

  /** Waits until the page shows a text. */
  void untilText(String text) {
    until("document.body.innerText.includes(" + JSON.writeValueAsString(text) + ")");
  }

  /** What the page shows. */
  String text() {
    try {
      return eval("document.body.innerText").asString("");
    } catch (IOException e) {
      return "nothing: " + e.getMessage();
    }
  }

  /** Clicks what a selector finds first, or what it finds with a text. */
  void click(String selector, String text) throws IOException {
    String find =
        "[...document.querySelectorAll(%s)].find((e) => e.innerText.includes(%s) && e.checkVisibility())"
            .formatted(JSON.writeValueAsString(selector), JSON.writeValueAsString(text));
    until(find);
    eval(find + ".click()");
  }

  /** Types into a field, as if by hand: what listens to it is told. */
  void fill(String selector, String text) throws IOException {
    String field = "document.querySelector(" + JSON.writeValueAsString(selector) + ")";
    until(field);
    eval(
        """
        (() => {
          const field = %s;
          field.focus();
          field.value = %s;
          field.dispatchEvent(new Event('input', {bubbles: true}));
          field.dispatchEvent(new Event('change', {bubbles: true}));
        })()
        """
            .formatted(field, JSON.writeValueAsString(text)));
  }

  /** Presses a key. */
  void press(String key, int code) throws IOException {
    for (String type : List.of("rawKeyDown", "char", "keyUp")) {
      Map<String, Object> event =
          key.equals("Enter") && type.equals("char")
              ? Map.of("type", type, "text", String.valueOf((char) code))
              : Map.of("type", type, "key", key, "code", key, "windowsVirtualKeyCode", code);
      if (key.equals("Enter") || !type.equals("char")) {
        call("Input.dispatchKeyEvent", event);
      }
    }
  }

  /** A picture of the window, or of all of the page. */
  void picture(Path file, boolean all) throws IOException {
    JsonNode shot =
        call("Page.captureScreenshot", Map.of("format", "png", "captureBeyondViewport", all));
    Files.write(file, Base64.getDecoder().decode(shot.get("data").asString()));
  }

  /** Errors and warnings of pages so far. */
  List<String> complaints() {
    return List.copyOf(complaints);
  }

  /** What pages have asked the network for. */
  List<String> requests() {
    return List.copyOf(requests);
  }

  /** Closes the tab, and with it the connections of its page. */
  @Override
  public void close() {
    WebSocket to = socket;
    if (to != null && !to.isOutputClosed()) {
      try {
        call("Page.close", Map.of());
      } catch (IOException e) {
        // It has gone already.
      }
      to.abort();
      socket = null;
    }
  }
}
