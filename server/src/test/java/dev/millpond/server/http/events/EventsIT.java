package dev.millpond.server.http.events;

import static dev.millpond.server.support.LiveServer.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.engine.access.Scope;
import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.support.KeyHolder;
import dev.millpond.server.support.LiveServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** The stream of the fleet's state. */
@Timeout(120) // a stream that says nothing would be read for ever
class EventsIT {
  /** An event as a browser gets it. */
  private record Event(@Nullable String id, String type, JsonNode data) {}

  @Test
  void allWhoLookGetTheSameFramesAndWhoComesBackGetsWhatItMissed(@TempDir Path directory)
      throws Exception {
    HttpClient client = HttpClient.newHttpClient();
    try (LiveServer server =
        LiveServer.start(directory, Map.of(ConfigKey.ROLE, "api,maintenance"))) {
      server.post("/v1/jobs", "{\"kind\":\"nobody.knows\",\"queue\":\"mail\"}");
      server.post("/v1/queues/mail/pause", "{\"reason\":\"<b>bank</b>\",\"by\":\"ann\"}");
      String firstId;
      try (Reader first = Reader.open(client, server);
          Reader second = Reader.open(client, server)) {
        assertThat(first.next("history").data().isEmpty()).isTrue();
        JsonNode frame = first.until("paused");
        assertThat(frame.get("totals").get("depth").asLong()).isEqualTo(1);
        assertThat(frame.get("queues").get(0).get("name").asString()).isEqualTo("mail");
        assertThat(texts(frame))
            .contains("queue mail is paused by ann: <b>bank</b>")
            .anyMatch(text -> text.startsWith("no worker takes jobs"));
        Event point = first.next("point");
        Event same = second.next("point");
        while (!String.valueOf(point.id()).equals(same.id())) {
          // Whoever came later has had the earlier ones in its history.
          if (number(point) < number(same)) {
            point = first.next("point");
          } else {
            same = second.next("point");
          }
        }
        firstId = String.valueOf(point.id());
        assertThat(point.data().get("depth").asLong()).isEqualTo(1);
        assertThat(same.data()).isEqualTo(point.data());
        first.next("point");
      }
      try (Reader again = Reader.open(client, server, "Last-Event-ID", firstId)) {
        JsonNode missed = again.next("history").data();
        assertThat(missed.size()).isPositive();
        assertThat(again.next("point").id()).isNotEqualTo(firstId);
      }
      String maker = "millpond-frames-" + server.server().millpond().nodeId();
      await()
          .atMost(Duration.ofSeconds(30))
          .until(() ->
              Thread.getAllStackTraces().keySet().stream()
                  .noneMatch(thread -> thread.getName().equals(maker)));
    }
    client.close();
  }

  @Test
  void viewersAreBoundedAlsoForEachKeyAndAPageOfAnotherOriginIsNone(@TempDir Path directory)
      throws Exception {
    String pgUrl = LiveServer.migratedDatabase();
    List<String> keys = new ArrayList<>();
    for (String name : List.of("wall", "team", "guest")) {
      keys.add("Bearer " + KeyHolder.in(pgUrl, name, Scope.READ).secret());
    }
    Map<ConfigKey, String> flags =
        Map.of(ConfigKey.ROLE, "api", ConfigKey.PG_URL, pgUrl, ConfigKey.AUTH_MODE, "keys");
    HttpClient client = HttpClient.newHttpClient();
    List<Reader> readers = new ArrayList<>();
    try (LiveServer server = LiveServer.start(directory, flags)) {
      String first = keys.getFirst();
      assertThat(status(client, server, first, "Origin", "http://evil.example")).isEqualTo(403);
      assertThat(status(client, server, first, "Sec-Fetch-Site", "cross-site")).isEqualTo(403);
      int left = Frames.VIEWERS_MAX;
      for (String key : keys) {
        int takes = Math.min(left, EventsController.VIEWERS_OF_KEY_MAX);
        for (int i = 0; i < takes; i++) {
          readers.add(Reader.open(client, server, "Authorization", key));
        }
        left -= takes;
        assertThat(refusal(client, server, key))
            .contains(
                "\"status\":503", left > 0 ? "with this key already" : "viewers look already");
      }
      assertThat(left).isZero();
      readers.removeFirst().close();
      await()
          .atMost(Duration.ofSeconds(30))
          .until(() -> {
            try (Reader next = Reader.open(client, server, "Authorization", first)) {
              return next.response.statusCode() == 200;
            }
          });
    } // those who still look do not keep the server from its end
    for (Reader reader : readers) {
      reader.close();
    }
    client.close();
  }

  private static long number(Event event) {
    return Long.parseLong(String.valueOf(event.id()));
  }

  /**
   * What a viewer with a key gets.
   *
   * @param headers names and values in turn
   */
  private static int status(HttpClient client, LiveServer server, String key, String... headers)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(server.uri("/v1/events")).header("Authorization", key);
    HttpResponse<InputStream> answer =
        client.send(
            (headers.length == 0 ? request : request.headers(headers)).build(),
            BodyHandlers.ofInputStream());
    answer.body().close();
    return answer.statusCode();
  }

  /** What a viewer with a key is told who finds no place. */
  private static String refusal(HttpClient client, LiveServer server, String key)
      throws IOException, InterruptedException {
    try (Reader none = Reader.open(client, server, "Authorization", key)) {
      assertThat(none.response.statusCode()).isEqualTo(503);
      return none.lines.lines().collect(Collectors.joining());
    }
  }

  private static List<String> texts(JsonNode frame) {
    List<String> texts = new ArrayList<>();
    frame.get("findings").forEach(each -> texts.add(each.get("found").asString()));
    return texts;
  }

  /** Reads a stream. */
  private record Reader(HttpResponse<InputStream> response, BufferedReader lines)
      implements AutoCloseable {

    /**
     * Begins to read.
     *
     * @param headers names and values in turn
     */
    static Reader open(HttpClient client, LiveServer server, String... headers)
        throws IOException, InterruptedException {
      HttpRequest.Builder request = HttpRequest.newBuilder(server.uri("/v1/events"));
      HttpResponse<InputStream> response =
          client.send(
              (headers.length == 0 ? request : request.headers(headers)).build(),
              BodyHandlers.ofInputStream());
      return new Reader(
          response,
          new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8)));
    }

    /** The next event of a type. */
    Event next(String type) throws IOException {
      String id = null;
      String event = "";
      String data = "";
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.startsWith("id: ")) {
          id = line.substring(4);
        } else if (line.startsWith("event: ")) {
          event = line.substring(7);
        } else if (line.startsWith("data: ")) {
          data = line.substring(6);
        } else if (line.isEmpty() && event.equals(type)) {
          return new Event(id, event, json(data));
        }
      }
      throw new IOException("the stream has ended");
    }

    /** The first frame with a finding. */
    JsonNode until(String check) throws IOException {
      while (true) {
        JsonNode frame = next("frame").data();
        for (JsonNode finding : frame.get("findings")) {
          if (finding.get("check").asString().equals(check)) {
            return frame;
          }
        }
      }
    }

    @Override
    public void close() throws IOException {
      response.body().close();
    }
  }
}
