package dev.millpond.examples.demo;

import dev.millpond.api.FatalJobException;
import dev.millpond.api.JobContext;
import dev.millpond.api.JobHandler;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Calls a URL. The job's id goes along as {@code Idempotency-Key}, the same in every attempt, so
 * that the receiver can tell a repetition from a new call.
 *
 * <p>An order that makes no request, and an answer 4xx other than 408, 425 and 429, are fatal; any
 * other answer than 2xx and an error on the way are tried again. Redirects are not followed.
 */
public final class HttpCall implements JobHandler<HttpCall.Order> {
  /** Bytes of an answer that become the job's result; the rest is not read. */
  static final int ANSWER_BYTES_MAX = 4_096;

  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);
  private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(30);

  private final HttpClient http =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .followRedirects(HttpClient.Redirect.NEVER)
          .connectTimeout(CONNECT_TIMEOUT)
          .build();

  /**
   * What to call.
   *
   * @param method such as {@code POST}
   * @param url absolute, http or https
   * @param headers of the request; null for none
   * @param body of the request, sent as UTF-8; null for none
   */
  public record Order(
      String method, String url, @Nullable Map<String, String> headers, @Nullable String body) {}

  /** What came back: the status, and the beginning of the body. */
  public record Answer(int status, String body) {}

  @Override
  public Answer run(JobContext context, Order order) throws IOException, InterruptedException {
    context.checkStop();
    HttpResponse<InputStream> response =
        http.send(request(context, order), BodyHandlers.ofInputStream());
    String body;
    try (InputStream in = response.body()) {
      body = new String(in.readNBytes(ANSWER_BYTES_MAX), StandardCharsets.UTF_8);
    }
    int status = response.statusCode();
    if (status / 100 == 2) {
      return new Answer(status, body);
    }
    String message = order.method() + " " + order.url() + " gave " + status + ": " + body;
    if (status / 100 == 4 && status != 408 && status != 425 && status != 429) {
      throw new FatalJobException(message);
    }
    throw new IOException(message);
  }

  private static HttpRequest request(JobContext context, Order order) {
    try {
      BodyPublisher body =
          order.body() == null
              ? BodyPublishers.noBody()
              : BodyPublishers.ofString(order.body(), StandardCharsets.UTF_8);
      HttpRequest.Builder request =
          HttpRequest.newBuilder(URI.create(order.url()))
              .timeout(ANSWER_TIMEOUT)
              .method(order.method(), body);
      if (order.headers() != null) {
        order.headers().forEach(request::setHeader);
      }
      return request.setHeader("Idempotency-Key", context.jobId().toString()).build();
    } catch (IllegalArgumentException e) {
      throw new FatalJobException("this is no request: " + e.getMessage(), e);
    }
  }
}
