package dev.millpond.server.http.jobs;

import static dev.millpond.server.support.LiveServer.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.api.FatalJobException;
import dev.millpond.engine.Millpond;
import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.support.LiveServer;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Steering by HTTP: cancel, run now, change with If-Match, dead letters in bulk and edited. */
@TestInstance(Lifecycle.PER_CLASS)
class SteerHttpIT {
  private LiveServer live;
  private Millpond worker;

  @BeforeAll
  void start(@TempDir Path directory) {
    live = LiveServer.start(directory, Map.of(ConfigKey.ROLE, "api,maintenance"));
    worker = Millpond.connect(live.engine());
    worker.registerHandler(
        "picky",
        String.class,
        (context, payload) -> {
          if (payload.startsWith("bad")) {
            throw new FatalJobException("cannot read " + payload);
          }
          return payload;
        });
    worker.startWorker();
  }

  @AfterAll
  void stop() {
    worker.close();
    live.close();
  }

  @Test
  void aWaitingJobIsCancelledOnce() throws Exception {
    String id = submit("good", ",\"delay\":\"PT1H\"");
    HttpResponse<String> cancelled = live.post("/v1/jobs/" + id + "/cancel");
    assertThat(cancelled.statusCode()).isEqualTo(200);
    assertThat(json(cancelled).toString())
        .isEqualTo("{\"id\":\"" + id + "\",\"state\":\"cancelled\",\"running\":false}");
    HttpResponse<String> again = live.post("/v1/jobs/" + id + "/cancel");
    assertThat(again.statusCode()).isEqualTo(409);
    assertThat(json(again).get("state").asString()).isEqualTo("cancelled");
    assertThat(json(again).get("type").asString()).isEqualTo("/problems/wrong-state");
  }

  @Test
  void aScheduledJobRunsNow() throws Exception {
    String id = submit("good", ",\"delay\":\"PT1H\"");
    HttpResponse<String> now = live.post("/v1/jobs/" + id + "/run-now");
    assertThat(now.statusCode()).as(now::body).isEqualTo(200);
    assertThat(json(now).get("id").asString()).isEqualTo(id);
    awaitState(id, "succeeded");
    assertThat(live.post("/v1/jobs/" + id + "/run-now").statusCode()).isEqualTo(409);
  }

  @Test
  void aChangeIsMadeOnlyToTheJobThatWasShown() throws Exception {
    String id = submit("good", ",\"delay\":\"PT1H\"");
    String tag = live.get("/v1/jobs/" + id).headers().firstValue("ETag").orElseThrow();
    HttpResponse<String> changed =
        patch("/v1/jobs/" + id, "{\"priorityClass\":\"high\",\"delay\":\"PT2H\"}", tag);
    assertThat(changed.statusCode()).as(changed::body).isEqualTo(200);
    assertThat(json(changed).get("priorityClass").asString()).isEqualTo("high");
    HttpResponse<String> late = patch("/v1/jobs/" + id, "{\"priorityClass\":\"normal\"}", tag);
    assertThat(late.statusCode()).isEqualTo(412);
    assertThat(json(late).get("type").asString()).isEqualTo("/problems/precondition-failed");
    String newTag = changed.headers().firstValue("ETag").orElseThrow();
    assertThat(late.headers().firstValue("ETag")).contains(newTag);
    HttpResponse<String> next =
        patch("/v1/jobs/" + id, "{\"runAt\":\"2030-01-01T00:00:00Z\"}", "\"other\", " + newTag);
    assertThat(next.statusCode()).as(next::body).isEqualTo(200);
    assertThat(json(next).get("runAt").asString()).isEqualTo("2030-01-01T00:00:00Z");
    assertThat(patch("/v1/jobs/" + id, "{\"priorityClass\":\"normal\"}", "*").statusCode())
        .isEqualTo(200);
  }

  @Test
  void deadLettersAreCountedThenRedrivenInBulk() throws Exception {
    for (int i = 0; i < 3; i++) {
      awaitState(submit("bad" + i, ",\"queue\":\"bulk\""), "dead");
    }
    assertThat(json(live.get("/v1/dead-letters/count?queue=bulk")).get("count").asInt())
        .isEqualTo(3);
    HttpResponse<String> other = live.post("/v1/dead-letters/redrive?queue=bulk&expectedCount=2");
    assertThat(other.statusCode()).isEqualTo(409);
    assertThat(json(other).get("count").asInt()).isEqualTo(3);
    HttpResponse<String> all = live.post("/v1/dead-letters/redrive?queue=bulk&expectedCount=3");
    assertThat(all.statusCode()).isEqualTo(200);
    assertThat(json(all).get("redriven").asInt()).isEqualTo(3);
    assertThat(json(all).get("skipped").asInt()).isZero();
    assertThat(json(all).has("remaining")).isTrue();
  }

  @Test
  void aDeadLetterIsShownAndReplaced() throws Exception {
    String id = submit("bad", ",\"queue\":\"edited\"");
    awaitState(id, "dead");
    JsonNode letter = json(live.get("/v1/dead-letters/" + id));
    assertThat(letter.get("error").get("message").asString()).isEqualTo("cannot read bad");
    HttpResponse<String> edited =
        patch("/v1/dead-letters/" + id, "{\"payload\":\"mended\",\"maxAttempts\":3}", null);
    assertThat(edited.statusCode()).as(edited::body).isEqualTo(202);
    String copy = json(edited).get("id").asString();
    assertThat(edited.headers().firstValue("Location")).contains("/v1/jobs/" + copy);
    assertThat(json(edited).get("replaces").asString()).isEqualTo(id);
    assertThat(awaitState(copy, "succeeded").get("result").asString()).isEqualTo("mended");
    JsonNode old = json(live.get("/v1/jobs/" + id));
    assertThat(old.get("state").asString()).isEqualTo("cancelled");
    assertThat(live.get("/v1/dead-letters/" + id).statusCode()).isEqualTo(404);
  }

  private String submit(String payload, String more) throws Exception {
    String body = "{\"kind\":\"picky\",\"payload\":\"" + payload + "\"" + more + "}";
    HttpResponse<String> accepted = live.post("/v1/jobs", body);
    assertThat(accepted.statusCode()).as(accepted::body).isEqualTo(202);
    return json(accepted).get("id").asString();
  }

  private HttpResponse<String> patch(String path, String body, @Nullable String match)
      throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(live.uri(path))
            .header("Content-Type", "application/json")
            .method("PATCH", BodyPublishers.ofString(body));
    return live.send(match == null ? request : request.header("If-Match", match));
  }

  private JsonNode awaitState(String id, String state) {
    return await()
        .atMost(Duration.ofSeconds(30))
        .pollInterval(Duration.ofMillis(20))
        .until(
            () -> json(live.get("/v1/jobs/" + id)),
            job -> job.get("state").asString().equals(state));
  }
}
