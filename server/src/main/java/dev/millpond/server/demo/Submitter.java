package dev.millpond.server.demo;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/**
 * Submits tasks over HTTP, as any program would. A batch that is refused or finds nobody is sent
 * again after a wait, with the same idempotency keys, so that a lost answer makes no second job.
 * Thread-safe.
 */
final class Submitter {
  /** Tasks in one request. */
  static final int BATCH = 500;

  /** A batch that is not accepted for this long is given up. */
  static final Duration PATIENCE = Duration.ofMinutes(2);

  private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(30);
  private static final long BACKOFF_BASE_MILLIS = 100;
  private static final long BACKOFF_MAX_MILLIS = 5_000;
  private static final int RETRY_AFTER_MAX_SECONDS = 30;

  private final URI url;
  private final String keyPrefix;
  private final HttpClient http =
      HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
  private final ObjectMapper json = new ObjectMapper();

  /**
   * Makes a submitter.
   *
   * @param api address of an API process
   * @param keyPrefix starts all idempotency keys; unique for a run
   */
  Submitter(URI api, String keyPrefix) {
    this.url = api.resolve("/v1/jobs/batch");
    this.keyPrefix = keyPrefix;
  }

  /**
   * Submits tasks in one request and returns when they are committed.
   *
   * @param first number of the first task in its run, for the key
   * @param tasks at most {@link #BATCH}
   * @return an id for each task, in their order
   * @throws DemoException when they are refused for good, or for too long
   */
  List<UUID> submit(int first, List<DemoWork.Task> tasks) throws InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(url)
            .timeout(REQUEST_TIMEOUT)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofByteArray(body(first, tasks)))
            .build();
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    String why = "";
    for (int attempt = 0; System.nanoTime() < deadline; attempt++) {
      long waitMillis = backoffMillis(attempt);
      try {
        HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() / 100 == 2) {
          return ids(answer.body(), tasks.size());
        }
        why = answer.statusCode() + " " + answer.body();
        if (answer.statusCode() != 503) {
          throw new DemoException("The API does not take the demo's jobs: " + why);
        }
        waitMillis = Math.max(waitMillis, retryAfterMillis(answer));
      } catch (IOException e) {
        why = String.valueOf(e);
      }
      Thread.sleep(waitMillis);
    }
    throw new DemoException("No job could be submitted for " + PATIENCE + ". Last answer: " + why);
  }

  private byte[] body(int first, List<DemoWork.Task> tasks) {
    List<Map<String, Object>> jobs = new ArrayList<>(tasks.size());
    for (int i = 0; i < tasks.size(); i++) {
      Map<String, Object> job = new HashMap<>();
      job.put("kind", tasks.get(i).kind());
      job.put("payload", tasks.get(i).payload());
      job.put("idempotencyKey", keyPrefix + "-" + (first + i));
      jobs.add(job);
    }
    return json.writeValueAsBytes(Map.of("jobs", jobs));
  }

  private List<UUID> ids(String body, int expected) {
    try {
      List<UUID> ids = new ArrayList<>(expected);
      for (JsonNode item : json.readTree(body).path("jobs")) {
        ids.add(UUID.fromString(item.path("id").stringValue()));
      }
      if (ids.size() == expected) {
        return ids;
      }
    } catch (JacksonException | IllegalArgumentException e) {
      throw new DemoException("The API's answer cannot be read: " + body, e);
    }
    throw new DemoException("The API's answer has not " + expected + " ids: " + body);
  }

  private static long retryAfterMillis(HttpResponse<?> answer) {
    try {
      int seconds = answer.headers().firstValue("Retry-After").map(Integer::parseInt).orElse(0);
      return 1_000L * Math.clamp(seconds, 0, RETRY_AFTER_MAX_SECONDS);
    } catch (NumberFormatException e) {
      return 0; // A date; the backoff will do.
    }
  }

  /** Half to all of the doubled wait. */
  private static long backoffMillis(int attempt) {
    long ceiling = Math.min(BACKOFF_MAX_MILLIS, BACKOFF_BASE_MILLIS << Math.min(attempt, 16));
    return ThreadLocalRandom.current().nextLong(ceiling / 2, ceiling + 1);
  }
}
